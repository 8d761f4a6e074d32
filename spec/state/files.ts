// SPDX-License-Identifier: MIT
/** Identifies an open file of a world. Several descriptors, also of several processes, can refer to one file. */
export type FileId = number;
