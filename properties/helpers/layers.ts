// SPDX-License-Identifier: MIT
// The folders in layers, the lowest first; a room is a folder of the table. A room may import rooms of lower layers and nothing else: not its
// neighbours in the same layer, and none above. The README's picture is made from this table.

export type Room = {
  /** A folder: its files, and those of subfolders that are no rooms themselves. */
  readonly folder: string;
  readonly holds: string;
  /** The only rooms that it may import, where not all below will do. */
  readonly only?: readonly string[];
  /** Why its files may import each other in circles. */
  readonly circles?: string;
};

export type Layer = readonly Room[];

export const LAYERS: readonly Layer[] = [
  [
    { folder: 'spec/abi', holds: 'ioctl numbers and struct layouts' },
    { folder: 'spec/collections', holds: 'persistent ordered maps' },
  ],
  [{ folder: 'spec/terms', holds: 'calls, rules, platforms, releases' }],
  [{ folder: 'spec/state', holds: 'the world and its parts' }],
  [{ folder: 'spec/outcome', holds: 'allowed replies, known deviations' }],
  [{ folder: 'spec/memory', holds: 'user memory, pins, locked memory' }],
  [
    { folder: 'spec/knowledge', holds: 'what a recording does not show' },
    { folder: 'spec/hardware', holds: 'what domains translate' },
    { folder: 'spec/iopt', holds: 'the I/O page table' },
  ],
  [
    { folder: 'spec/iommufd', holds: 'native calls' },
    { folder: 'spec/compat', holds: 'container calls of an iommufd' },
    { folder: 'spec/type1', holds: 'container calls of type1' },
  ],
  [
    { folder: 'spec/vfio', holds: 'calls of groups and devices' },
    { folder: 'spec/selftest', holds: 'test commands' },
  ],
  [{ folder: 'spec', holds: 'step(world, call), and every rule' }],

  [
    { folder: 'model/machine', holds: 'the interface of machines' },
    { folder: 'model/explorer', holds: 'every state of a model', only: [] },
  ],
  [
    {
      folder: 'model/emulator',
      holds: 'an independent implementation',
      only: ['spec/abi', 'spec/terms', 'model/machine'],
      circles: "kernel objects refer to each other, as the types of a kernel's private header do",
    },
    { folder: 'model/programs', holds: 'programs as data' },
  ],
  [
    { folder: 'model/generate', holds: 'random calls' },
    { folder: 'model/shrink', holds: 'shrinking' },
    { folder: 'model/laws', holds: 'laws of every state and step' },
  ],
  [
    { folder: 'model/scenarios', holds: 'first calls of generated programs' },
    { folder: 'model/probes', holds: 'calls that show hidden state' },
  ],
  [{ folder: 'model', holds: "fast-check's arbitrary of programs" }],

  [
    { folder: 'oracle/files', holds: 'saving files', only: [] },
    { folder: 'oracle/text', holds: 'text of numbers and names' },
    { folder: 'oracle/safety', holds: 'calls refused on kernels' },
  ],
  [
    { folder: 'oracle/trace', holds: 'traces and recordings' },
    { folder: 'oracle/explain', holds: 'why a call failed' },
  ],
  [
    { folder: 'oracle/syz', holds: 'syzkaller programs' },
    { folder: 'oracle/strace', holds: 'logs of strace' },
  ],
  [
    { folder: 'oracle/judge', holds: 'verdicts' },
    { folder: 'oracle/decode', holds: 'decoding of calls' },
    { folder: 'oracle/vm', holds: 'virtual machines' },
  ],
  [
    { folder: 'oracle/check', holds: 'campaigns and shrinking' },
    { folder: 'oracle/subjects/kernel', holds: 'kernels as subjects' },
    { folder: 'oracle/kernel-build', holds: 'building kernels' },
  ],
  [
    { folder: 'oracle/explore', holds: 'exploring the specification' },
    { folder: 'oracle/record', holds: 'recording programs' },
  ],
  [{ folder: 'oracle/report', holds: 'text of reports' }],
  [{ folder: 'oracle/emit', holds: 'traces as C or text' }],
  [{ folder: 'oracle/audit', holds: 'type1 compared with iommufd' }],
  [{ folder: 'oracle/cli', holds: 'the command line' }],

  [{ folder: 'properties/helpers', holds: 'helpers of tests' }],
  [{ folder: 'properties/corpus', holds: 'hand-written programs' }],
  [{ folder: 'properties/defects', holds: 'programs that show defects' }],
  [{ folder: 'properties/harness', holds: 'laws, and the steps that test them' }],
  [
    { folder: 'properties/spec', holds: 'tests of spec' },
    { folder: 'properties/model', holds: 'tests of model' },
    { folder: 'properties/oracle', holds: 'tests of oracle' },
    { folder: 'properties/kernels', holds: 'tests on kernels' },
    { folder: 'properties/library', holds: 'tests of the package' },
    { folder: 'properties/mutants', holds: 'mutation testing' },
    { folder: 'properties/bench', holds: 'measurements' },
    { folder: 'properties/runner', holds: 'runs suites in processes' },
    { folder: 'properties/fuzz', holds: 'damaged files' },
  ],
  [{ folder: 'properties', holds: 'the runner' }],
];
