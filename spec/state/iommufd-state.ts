// SPDX-License-Identifier: MIT
// The state that most native calls read and change: the iommufd, and memory, which outlives it.

import type { Context } from './context.ts';
import type { Memory } from './memory.ts';

export type IommufdState = { readonly context: Context; readonly memory: Memory };
