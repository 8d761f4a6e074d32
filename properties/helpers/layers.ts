// SPDX-License-Identifier: MIT
// The rooms of the house in layers, the lowest first. A room may import rooms of lower layers and nothing else: not its
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
  [{ folder: 'spec/state', holds: 'the world and what it is made of' }],
  [{ folder: 'spec/outcome', holds: 'replies that are allowed, known deviations' }],
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
    { folder: 'model/machine', holds: 'what runs programs' },
    { folder: 'model/explorer', holds: 'every state of a model', only: [] },
  ],
  [
    {
      folder: 'model/emulator',
      holds: 'a second writing, as a kernel is',
      only: ['spec/abi', 'spec/terms', 'model/machine'],
      circles: "kernel objects refer to each other, as the types of a kernel's private header do",
    },
    { folder: 'model/programs', holds: 'programs as data' },
  ],
  [
    { folder: 'model/generate', holds: 'random calls' },
    { folder: 'model/shrink', holds: 'smaller programs' },
    { folder: 'model/laws', holds: 'what holds in every state' },
  ],
  [
    { folder: 'model/scenarios', holds: 'how generated programs begin' },
    { folder: 'model/probes', holds: 'calls that show hidden state' },
  ],
  [{ folder: 'model', holds: 'the arbitrary of programs' }],

  [
    { folder: 'oracle/files', holds: 'how files are saved', only: [] },
    { folder: 'oracle/text', holds: 'numbers and names for people' },
    { folder: 'oracle/safety', holds: 'what programs may do to kernels' },
  ],
  [{ folder: 'oracle/trace', holds: 'traces and recordings' }],
  [
    { folder: 'oracle/judge', holds: 'observations against outcomes' },
    { folder: 'oracle/decode', holds: 'what a call is about' },
    { folder: 'oracle/vm', holds: 'virtual machines' },
  ],
  [
    { folder: 'oracle/check', holds: 'campaigns and shrinking' },
    { folder: 'oracle/subjects/kernel', holds: 'a kernel as the subject' },
    { folder: 'oracle/kernel-build', holds: 'kernels from source' },
  ],
  [
    { folder: 'oracle/explore', holds: 'exploration of the specification' },
    { folder: 'oracle/record', holds: 'recordings of programs' },
  ],
  [{ folder: 'oracle/report', holds: 'reports for people' }],
  [{ folder: 'oracle/emit', holds: 'traces as C and text' }],
  [{ folder: 'oracle/audit', holds: 'type1 beside iommufd' }],
  [{ folder: 'oracle/cli', holds: 'the command line, a file a verb' }],

  [{ folder: 'properties/helpers', holds: 'what tests are written with' }],
  [{ folder: 'properties/corpus', holds: 'programs by hand' }],
  [{ folder: 'properties/defects', holds: 'programs that show defects' }],
  [{ folder: 'properties/harness', holds: 'laws, and the steps they are tried on' }],
  [
    { folder: 'properties/spec', holds: 'tests of spec' },
    { folder: 'properties/model', holds: 'tests of model' },
    { folder: 'properties/oracle', holds: 'tests of oracle' },
    { folder: 'properties/kernels', holds: 'tests on kernels' },
    { folder: 'properties/library', holds: 'tests of the package' },
    { folder: 'properties/mutants', holds: 'small changes of the emulator' },
    { folder: 'properties/bench', holds: 'measurements' },
    { folder: 'properties/runner', holds: 'suites in processes' },
    { folder: 'properties/fuzz', holds: 'damaged files' },
  ],
  [{ folder: 'properties', holds: 'the runner' }],
];
