// SPDX-License-Identifier: MIT
// Recordings with one change by hand: each is a mistake that a kernel could make, or that a recorder could.

type Line = Record<string, unknown>;

export type Mutation = {
  readonly says: string;
  readonly file: string;
  /** Changes the line if it is the one, and says whether it was. The first that is changed ends the search. */
  readonly change: (line: Line) => boolean;
};

const MAP = '7.3.4-selftest.vfio_compat_mock_domain.Ver1v2.map.jsonl.gz';
const VERSION1 = '7.3.4-selftest.vfio_compat_mock_domain.Ver1v0.map.jsonl.gz';
const INFO = '7.3.4-selftest.vfio_compat_mock_domain.Ver1v2.get_info.jsonl.gz';
const ALIGNS = '7.3.4-selftest.iommufd_mock_domain.two_domains.all_aligns.jsonl.gz';
const VFIO_IOAS = '6.12.95-selftest.iommufd.vfio_ioas.jsonl.gz';
const QEMU = '7.3.4-qemu.compat.04.0.jsonl.gz';

const is = (line: Line, command: string, errno = 0): boolean =>
  line.call === 'ioctl' && line.cmd === command && line.errno === errno;

const failing = (line: Line, errno: number): true => {
  line.ret = -1;
  line.errno = errno;
  return true;
};

/** Little-endian bytes of a struct put over those that were seen. */
const put = (line: Line, offset: number, hex: string): true => {
  const before = String(line.out);
  line.out = before.slice(0, offset * 2) + hex + before.slice(offset * 2 + hex.length);
  return true;
};

const word = (line: Line, of: 'in' | 'out', offset: number): number =>
  Number.parseInt(String(line[of]).slice(offset * 2, offset * 2 + 2), 16);

const UNMAP_DMA = '0x3b72';
const MAP_DMA = '0x3b71';
const GET_INFO = '0x3b70';
const TEST = '0x3ba0';
const CHECK_MAP = 3;

export const MUTATIONS: readonly Mutation[] = [
  {
    says: 'a map that is refused without a reason',
    file: MAP,
    change: (line) => is(line, MAP_DMA) && failing(line, 17),
  },
  {
    says: 'a map over another one that is not refused',
    file: '7.3.4-selftest.iommufd_ioas.no_domain.area.jsonl.gz',
    change: (line) => {
      if (!is(line, '0x3b86', 2)) return false;
      line.ret = 0;
      line.errno = 0;
      return true;
    },
  },
  {
    says: 'an unmap that does not say how much it unmapped',
    file: MAP,
    change: (line) => is(line, UNMAP_DMA) && put(line, 16, '0000000000000000'),
  },
  {
    says: 'an unmap that says too much',
    file: VERSION1,
    change: (line) => is(line, UNMAP_DMA) && put(line, 16, '0000000001000000'),
  },
  {
    says: 'an unmap of a range that writes another IOVA back',
    file: MAP,
    change: (line) => is(line, UNMAP_DMA) && put(line, 8, '0010000000000000'),
  },
  {
    says: 'page sizes that no domain has',
    file: INFO,
    change: (line) => is(line, GET_INFO) && put(line, 8, '0000000000000080'),
  },
  {
    says: 'a capability that is not linked',
    file: INFO,
    change: (line) =>
      is(line, GET_INFO) && word(line, 'out', 16) !== 0 && put(line, 16, '00000000'),
  },
  {
    says: 'stack bytes in the padding of the struct',
    file: INFO,
    change: (line) =>
      is(line, GET_INFO) && String(line.out).length > 48 && put(line, 20, 'ffff8881'),
  },
  {
    says: 'another IOAS for VFIO calls than the one that was set',
    file: VFIO_IOAS,
    change: (line) => is(line, '0x3b88') && word(line, 'in', 8) === 0 && put(line, 4, '2a000000'),
  },
  {
    says: 'an id that another object has',
    file: ALIGNS,
    change: (line) => is(line, TEST) && word(line, 'in', 4) === 2 && put(line, 16, '01000000'),
  },
  {
    says: 'a translation where nothing is mapped',
    file: ALIGNS,
    change: (line) => {
      // The check goes to an IOVA far from any area, and the kernel is said to have found it.
      if (!is(line, TEST) || word(line, 'in', 4) !== CHECK_MAP) return false;
      for (const of of ['in', 'out'] as const) {
        const bytes = String(line[of]);
        line[of] = `${bytes.slice(0, 32)}0000007000000000${bytes.slice(48)}`;
      }
      return true;
    },
  },
  {
    says: 'a translation that is not found where there is one',
    file: ALIGNS,
    change: (line) => is(line, TEST) && word(line, 'in', 4) === CHECK_MAP && failing(line, 22),
  },
  {
    says: 'a struct that is too short and is accepted',
    file: '7.3.4-selftest.iommufd.cmd_length.jsonl.gz',
    change: (line) => {
      if (!is(line, '0x3b86', 22)) return false;
      line.ret = 0;
      line.errno = 0;
      return true;
    },
  },
  {
    says: 'an extension that is denied',
    file: QEMU,
    change: (line) => {
      if (!is(line, '0x3b65') || line.ret !== 1) return false;
      line.ret = 0;
      return true;
    },
  },
  {
    says: 'a type that is refused',
    file: QEMU,
    change: (line) => is(line, '0x3b66') && failing(line, 22),
  },
  {
    says: 'a group that has a container although it was given none',
    file: QEMU,
    change: (line) => is(line, '0x3b67') && word(line, 'out', 4) === 1 && put(line, 4, '03000000'),
  },
  {
    says: 'an object that is destroyed twice',
    file: '7.3.4-selftest.iommufd_ioas.no_domain.ioas_destroy.jsonl.gz',
    change: (line) => is(line, '0x3b80') && failing(line, 2),
  },
];
