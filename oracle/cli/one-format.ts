// SPDX-License-Identifier: MIT
// The refusal of two formats of output at once.

export const ONE_FORMAT = '--json and --ktap are two formats of the output: leave out one.';
