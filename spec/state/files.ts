// SPDX-License-Identifier: MIT
/** Names an open file of a world: several descriptors, also of several processes, can refer to one. */
export type FileId = number;
