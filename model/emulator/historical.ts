// SPDX-License-Identifier: MIT
// Defects that Linux had in this code and that a program could observe, each with the commit that
// fixed it. They are switches of the emulator like the invented ones in defects.ts;
// docs/historical-defects.md has the table.

/** A commit of Linux: the whole hash of a fix, or the twelve digits of a Fixes: tag. */
export type Commit = { readonly commit: string; readonly subject: string };

export type HistoricalDefect = {
  /** What breaks, and until which release. */
  readonly says: string;
  readonly fixed: Commit;
  /** The first release without it, and the first such release of each older series. */
  readonly release: string;
  readonly backports?: readonly string[];
  /** The commit that introduced it, if the fix has a Fixes: tag. */
  readonly introducedBy?: Commit;
  readonly cve?: string;
  /** How it was found. */
  readonly noticed: string;
  /**
   * Where a program observes it: in a result, in bytes that a call writes, or only in what is
   * mapped and pinned.
   */
  readonly shows: 'reply' | 'bytes' | 'hidden state';
};

const list = <const Table extends Readonly<Record<string, HistoricalDefect>>>(table: Table) =>
  table;

const TYPE1 = { commit: '73fa0d10d077', subject: 'vfio: Type1 IOMMU implementation' };
const COMPAT = {
  commit: 'd624d6652a65',
  subject: 'iommufd: vfio container FD ioctl compatibility',
};
const TABLE = {
  commit: '51fe6141f0f6',
  subject: 'iommufd: Data structure to provide IOVA to PFN mapping',
};
const STORAGE = { commit: '8d160cd4d506', subject: 'iommufd: Algorithms for PFN storage' };
const SELFTEST = {
  commit: 'f4b20bb34c83',
  subject: 'iommufd: Add kernel support for testing iommufd',
};
const DIRTY = {
  commit: 'd6a4c185660c',
  subject: 'vfio iommu: Implementation of ioctl for dirty pages tracking',
};

/** The latest fix first. */
export const IOMMUFD_HISTORY = list({
  'type1-reported-without-iommu': {
    says: 'until 7.1: CHECK_EXTENSION offers type1 on an iommufd that serves devices without an IOMMU',
    fixed: {
      commit: '7147ec874ea08c322d779d8eba28946e294ed1f3',
      subject: 'iommufd: vfio compatibility extension check for noiommu mode',
    },
    release: '7.1',
    introducedBy: COMPAT,
    noticed: 'review',
    shows: 'reply',
  },
  'reserved-range-wraps': {
    says: 'until 6.19: ADD_RESERVED takes a range that is empty or passes the end of the address space',
    fixed: {
      commit: 'e6a973af11135439de32ece3b9cbe3bfc043bea8',
      subject: 'iommufd/selftest: Check for overflow in IOMMU_TEST_OP_ADD_RESERVED',
    },
    release: '6.19',
    introducedBy: SELFTEST,
    noticed: 'syzbot',
    shows: 'reply',
  },
  'bind-refuses-tokens-as-too-long': {
    says: 'until 6.19: BIND_IOMMUFD takes the token at the end of its own struct for bytes after it',
    fixed: {
      commit: '2f03f21fe7516902283b135de272d3c7b10672de',
      subject: 'vfio: Fix ksize arg while copying user struct in vfio_df_ioctl_bind_iommufd()',
    },
    release: '6.19',
    backports: ['6.18.3'],
    introducedBy: {
      commit: '86624ba3b522',
      subject: 'vfio/pci: Do vf_token checks for VFIO_DEVICE_BIND_IOMMUFD',
    },
    noticed: 'a test of VFIO',
    shows: 'reply',
  },
  'empty-unmap-enoent': {
    says: 'until 6.18: UNMAP_DMA of a range with nothing in it answers ENOENT',
    fixed: {
      commit: 'afb47765f9235181fddc61c8633b5a8cfae29fd2',
      subject: "iommufd: Make vfio_compat's unmap succeed if the range is already empty",
    },
    release: '6.18',
    introducedBy: COMPAT,
    noticed: 'a user who moved from type1',
    shows: 'reply',
  },
  'chosen-iova-wraps': {
    says: 'until 6.17: aligning the chosen IOVA may wrap around the address space',
    fixed: {
      commit: 'b42497e3c0e74db061eafad41c0cd7243c46436b',
      subject: 'iommufd: Prevent ALIGN() overflow',
    },
    release: '6.17',
    backports: ['6.16.2', '6.15.11', '6.12.43', '6.6.103'],
    introducedBy: TABLE,
    cve: 'CVE-2025-38688',
    noticed: 'syzbot',
    shows: 'reply',
  },
  'unmapped-bytes-not-reported': {
    says: 'until 6.17: bytes unmapped before an unmap failed are not reported',
    fixed: {
      commit: 'b23e09f9997771b4b739c1c694fa832b5fa2de02',
      subject: 'iommufd: Report unmapped bytes in the error path of iopt_unmap_iova_range',
    },
    release: '6.17',
    backports: ['6.16.2'],
    introducedBy: {
      commit: '8d40205f6093',
      subject: 'iommufd: Add kAPI toward external drivers for kernel access',
    },
    noticed: 'review',
    shows: 'bytes',
  },
  'chosen-iova-alignment-unbounded': {
    says: 'until 6.12: a chosen IOVA is aligned as far as memory and length are, however far that is',
    fixed: {
      commit: '8f6887349b2f829a4121c518aeb064fc922714e4',
      subject: 'iommufd: Protect against overflow of ALIGN() during iova allocation',
    },
    release: '6.12',
    backports: ['6.11.2', '6.10.13', '6.6.54'],
    introducedBy: TABLE,
    cve: 'CVE-2024-47719',
    noticed: 'syzbot',
    shows: 'reply',
  },
  'map-without-read-write-accepted': {
    says: 'until 6.11: IOAS_MAP and IOAS_COPY accept neither READABLE nor WRITEABLE',
    fixed: {
      commit: '996dc53ac289b81957aa70d62ccadc6986d26a87',
      subject: 'iommufd: Do not allow creating areas without READ or WRITE',
    },
    release: '6.11',
    introducedBy: { commit: 'aad37e71d5c4', subject: 'iommufd: IOCTLs for the io_pagetable' },
    noticed: 'review',
    shows: 'reply',
  },
  'failed-replace-unreserves-the-old': {
    says: 'until 6.11: a device that cannot be moved gives up what it reserves where it stays',
    fixed: {
      commit: '950aeefb34923fe3c28ade35fe05f24e2c5b1d55',
      subject: 'iommufd/device: Fix hwpt at err_unresv in iommufd_device_do_replace()',
    },
    release: '6.11',
    backports: ['6.10.7'],
    introducedBy: {
      commit: '89db31635c87',
      subject: 'iommufd: Derive iommufd_hwpt_paging from iommufd_hw_pagetable',
    },
    noticed: 'review',
    shows: 'bytes',
  },
  'access-number-overwritten': {
    says: 'until 6.8: an access that cannot change its IOAS is no longer found in the one that it has',
    fixed: {
      commit: 'aeb004c0cd6958e910123a1607634401009c9539',
      subject: 'iommufd: Fix iopt_access_list_id overwrite bug',
    },
    release: '6.8',
    backports: ['6.7.9', '6.6.21'],
    introducedBy: {
      commit: '9227da7816dd',
      subject: 'iommufd: Add iommufd_access_change_ioas(_id) helpers',
    },
    cve: 'CVE-2024-26786',
    noticed: 'syzkaller',
    shows: 'hidden state',
  },
  'hwpt-data-type-without-data': {
    says: 'until 6.8: HWPT_ALLOC takes a type of data where there is no data',
    fixed: {
      commit: '7adc0c1cfa7732b81bf7bf2ed16ffb99719ceebf',
      subject: 'iommufd: Reject non-zero data_type if no data_len is provided',
    },
    release: '6.8',
    introducedBy: { commit: 'bd529dbb661d', subject: 'iommufd: Add a nested HW pagetable object' },
    noticed: 'review',
    shows: 'reply',
  },
  'stale-interval-after-cut': {
    says: 'until 6.7: a cut leaves the old area where domains of the pages are looked up',
    fixed: {
      commit: 'e7250ab7ca4998fe026f2149805b03e09dc32498',
      subject: 'iommufd: Fix missing update of domains_itree after splitting iopt_area',
    },
    release: '6.7',
    introducedBy: TABLE,
    cve: 'CVE-2023-52801',
    noticed: 'review',
    shows: 'hidden state',
  },
  'user-address-wraps': {
    says: 'until 6.3: a user address plus length may wrap around the address space',
    fixed: {
      commit: 'e4395701330fc4aee530905039516fe770b81417',
      subject: 'iommufd: Check for uptr overflow',
    },
    release: '6.3',
    backports: ['6.2.11'],
    introducedBy: STORAGE,
    noticed: 'syzkaller',
    shows: 'reply',
  },
  'pages-not-unpinned-with-access': {
    says: 'until 6.3: an unmap miscounts the pages to unpin while an access has some of them',
    fixed: {
      commit: '727c28c1cef2bc013d2c8bb6c50e410a3882a04e',
      subject: 'iommufd: Fix unpinning of pages when an access is present',
    },
    release: '6.3',
    backports: ['6.2.11'],
    introducedBy: STORAGE,
    cve: 'CVE-2023-53630',
    noticed: 'syzkaller',
    shows: 'hidden state',
  },
  'checked-address-wraps': {
    says: 'until 6.4: MD_CHECK_MAP and MD_CHECK_REFS read memory beyond the end of the address space',
    fixed: {
      commit: 'fd8c1a4aee973e87d890a5861e106625a33b2c4e',
      subject: 'iommufd/selftest: Catch overflow of uptr and length',
    },
    release: '6.4',
    introducedBy: SELFTEST,
    noticed: 'syzkaller',
    shows: 'reply',
  },
  'info-padding-leak': {
    says: 'until 6.2.3: GET_INFO writes stack bytes into the padding of its struct',
    fixed: {
      commit: 'b3551ead616318ea155558cdbe7e91495b8d9b33',
      subject: 'iommufd: Make sure to zero vfio_iommu_type1_info before copying to user',
    },
    release: '6.3',
    backports: ['6.2.3'],
    introducedBy: COMPAT,
    noticed: 'syzbot',
    shows: 'bytes',
  },
});

/** Of the legacy container, the latest fix first. */
export const TYPE1_HISTORY = list({
  'type1-end-of-all-not-seen': {
    says: 'until 6.18: a legacy container does not see that ranges meet which end at 2^64',
    fixed: {
      commit: 'ef270ec44637d464126bd4ade483c4a1887e06bc',
      subject: 'vfio/type1: handle DMA map/unmap up to the addressable limit',
    },
    release: '6.18',
    introducedBy: TYPE1,
    noticed: 'a user',
    shows: 'reply',
  },
  'type1-overflow-not-reported': {
    says: 'until 6.18: a legacy container answers EINVAL to ranges that pass the end of all',
    fixed: {
      commit: '6012379ede6aa7477db6276bb9876fe7d67c4312',
      subject: 'vfio/type1: sanitize for overflow using check_*_overflow()',
    },
    release: '6.18',
    introducedBy: TYPE1,
    noticed: 'review',
    shows: 'reply',
  },
  'type1-capabilities-not-aligned': {
    says: 'until 6.6: capabilities after one whose length is not a multiple of 8 are not aligned',
    fixed: {
      commit: 'a881b496941f02fe620c5708a4af68762b24c33d',
      subject: 'vfio: align capability structures',
    },
    release: '6.6',
    noticed: 'review',
    shows: 'bytes',
  },
  'type1-capability-padding-leak': {
    says: 'until 6.6: GET_INFO of a legacy container writes stack bytes into a hole of a capability',
    fixed: {
      commit: 'cd24e2a60af633f157d7e59c0a6dba64f131c0b1',
      subject: 'vfio/type1: fix cap_migration information leak',
    },
    release: '6.6',
    introducedBy: {
      commit: 'ad721705d09c',
      subject: 'vfio iommu: Add migration capability to report supported features',
    },
    noticed: 'review',
    shows: 'bytes',
  },
  'type1-addresses-move-under-mdevs': {
    says: 'until 6.3: addresses can be updated with an mdev in the container',
    fixed: {
      commit: 'ef3a3f6a294ba65fd906a291553935881796f8a5',
      subject: 'vfio/type1: exclude mdevs from VFIO_UPDATE_VADDR',
    },
    release: '6.3',
    introducedBy: {
      commit: 'c3cbab24db38',
      subject: 'vfio/type1: implement interfaces to update vaddr',
    },
    noticed: 'review',
    shows: 'reply',
  },
  'type1-leaving-loses-dirty-pages': {
    says: 'until 5.12: what a group wrote counts as not written once it has left the container',
    fixed: {
      commit: 'd0a78f91761fcd837da1e7a4b0f8368873adc646',
      subject: 'vfio/iommu_type1: Populate full dirty when detach non-pinned group',
    },
    release: '5.12',
    introducedBy: DIRTY,
    noticed: 'review',
    shows: 'bytes',
  },
  'type1-bar-taken-for-memory': {
    says: "until 5.12: a BAR after memory in one mapping is mapped as the memory's first page",
    fixed: {
      commit: '60c988bc154108bd522a21289e389143006a1ff0',
      subject: 'vfio/type1: Empty batch for pfnmap pages',
    },
    release: '5.12',
    introducedBy: { commit: '4d83de6da265', subject: 'vfio/type1: Batch page pinning' },
    noticed: 'review',
    shows: 'hidden state',
  },
  'type1-failed-join-keeps-pins': {
    says: 'until 5.9: a group that cannot join leaves pinned what was pinned for it',
    fixed: {
      commit: 'aae7a75a821a793ed6b8ad502a5890fb8e8f172d',
      subject: 'vfio/type1: Add proper error unwind for vfio_iommu_replay()',
    },
    release: '5.9',
    introducedBy: {
      commit: 'a54eb55045ae',
      subject: 'vfio iommu type1: Add support for mediated devices',
    },
    noticed: 'a test of mdevs',
    shows: 'hidden state',
  },
  'type1-bar-not-looked-up': {
    says: 'until 5.7: the page of a register is taken from where its mapping starts in the file',
    fixed: {
      commit: '5cbf3264bc715e9eb384e2b68601f8c02bb9a61d',
      subject: 'vfio/type1: Fix VA->PA translation for PFNMAP VMAs in vaddr_get_pfn()',
    },
    release: '5.7',
    introducedBy: TYPE1,
    noticed: 'a warning of the kernel',
    shows: 'reply',
  },
  'type1-reserved-not-excluded': {
    says: 'until 5.4: what a device reserves may be mapped in a legacy container, and is reported as usable',
    fixed: {
      commit: 'af029169b8fdae31064624d60b5469a3da95ad32',
      subject: 'vfio/type1: Check reserved region conflict and update iova list',
    },
    release: '5.4',
    noticed: 'review',
    shows: 'reply',
  },
  'type1-mappings-not-limited': {
    says: 'until 5.1: a legacy container makes as many mappings as a program wants',
    fixed: {
      commit: '492855939bdb59c6f947b0b5b44af9ad82b7e38c',
      subject: 'vfio/type1: Limit DMA mappings per container',
    },
    release: '5.1',
    cve: 'CVE-2019-3882',
    noticed: 'review',
    shows: 'reply',
  },
  'type1-last-page-not-unmapped': {
    says: 'until 5.0: UNMAP_DMA of a legacy container refuses ranges that end at 2^64',
    fixed: {
      commit: '58fec830fc19208354895d9832785505046d6c01',
      subject: 'vfio/type1: Fix unmap overflow off-by-one',
    },
    release: '5.0',
    introducedBy: {
      commit: '71a7d3d78e3c',
      subject: 'vfio/type1: silence integer overflow warning',
    },
    noticed: 'a test of QEMU',
    shows: 'reply',
  },
});
