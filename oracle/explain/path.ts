// SPDX-License-Identifier: MIT
// The paths to the kernel's two implementations of DMA maps.

/** The legacy container, iommufd's compatibility layer, or iommufd's native calls. */
export type Path = 'type1' | 'compat' | 'native';

export const PATHS: readonly Path[] = ['type1', 'compat', 'native'];

export const PATH_TITLES: Readonly<Record<Path, string>> = {
  type1: 'the legacy container',
  compat: "iommufd's VFIO compatibility",
  native: "iommufd's own calls",
};
