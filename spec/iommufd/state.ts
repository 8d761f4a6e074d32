// What most calls read and change: the iommufd itself, and memory, which outlives it.

import type { Memory } from '../memory/memory.ts';
import type { Context } from './context.ts';

export type IommufdState = { readonly context: Context; readonly memory: Memory };
