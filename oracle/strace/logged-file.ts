// SPDX-License-Identifier: MIT
// Open files as far as a log shows them: what each may be, and which calls on it may have been made.

/** What a descriptor may refer to. `other` has no call of VFIO. */
export const FILE_KINDS = ['iommufd', 'container', 'group', 'device', 'cdev', 'other'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

export type LoggedFile = {
  /** Never empty. */
  kinds: readonly FileKind[];
  readonly path: string | undefined;
  /** The log shows its open. */
  readonly isOpenedHere: boolean;
  /** ioctls that have succeeded, or that may have. */
  readonly made: Set<number>;
};

const GROUP = /^\/dev\/vfio\/(?:noiommu-)?\d+$/;
const CDEV = /^\/dev\/vfio\/devices\/(?:noiommu-)?vfio\d+$/;
const GONE = ' (deleted)';

/** The kinds of file that a path can be of. */
const kindsOf = (path: string): readonly FileKind[] => {
  if (path === '/dev/iommu') return ['iommufd'];
  // An iommufd where the kernel has CONFIG_IOMMUFD_VFIO_CONTAINER.
  if (path === '/dev/vfio/vfio') return ['container', 'iommufd'];
  if (GROUP.test(path)) return ['group'];
  if (CDEV.test(path)) return ['cdev'];
  if (path === 'anon_inode:[vfio-device]') return ['device'];
  // Any other path may be a link to one of them, and what the system itself names is none.
  const isNamedBySystem = /^(?:anon_inode:|socket:|pipe:|[A-Z0-9-]+:|\/memfd:)/.test(path);
  return isNamedBySystem ? ['other'] : FILE_KINDS;
};

export const fileOf = (path: string | undefined, isOpenedHere: boolean): LoggedFile => {
  const own = path?.endsWith(GONE) === true ? path.slice(0, -GONE.length) : path;
  return {
    kinds: own === undefined ? FILE_KINDS : kindsOf(own),
    path: own,
    isOpenedHere,
    made: new Set(),
  };
};

export const OTHER_FILE: LoggedFile = {
  kinds: ['other'],
  path: undefined,
  isOpenedHere: true,
  made: new Set(),
};

/** Whether it can be no file but one of VFIO and iommufd. */
export const isOfVfio = ({ kinds }: LoggedFile): boolean => !kinds.includes('other');
