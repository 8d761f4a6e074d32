// SPDX-License-Identifier: MIT
// What most calls read and change: the iommufd itself, and memory, which outlives it.

import type { Context } from './context.ts';
import type { Memory } from './memory.ts';

export type IommufdState = { readonly context: Context; readonly memory: Memory };
