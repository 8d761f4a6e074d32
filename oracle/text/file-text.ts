// What descriptors refer to, in words.

import { nodesOf } from '../../spec/collections/ordered-map.ts';
import {
  boundDeviceOf,
  descriptorsOf,
  type OpenFile,
  openFile,
  type World,
} from '../../spec/state/world.ts';
import type { Process } from '../../spec/terms/call.ts';
import { visible } from './visible.ts';

/** A file, as a process with a descriptor of it sees it. */
export const fileText = (world: World, process: Process, file: OpenFile): string => {
  const numberOf = (id: number): string => {
    for (const { key, value } of nodesOf(descriptorsOf(world, process))) {
      if (value === id) return `descriptor ${key}`;
    }
    return 'a descriptor that is closed, or of another process';
  };
  switch (file.kind) {
    case 'iommufd': {
      const { compatIoas } = file.context;
      return compatIoas === undefined
        ? '/dev/iommu'
        : `/dev/iommu, where VFIO calls use IOAS ${compatIoas}`;
    }
    case 'container': {
      const { groups, type1 } = file.container;
      const type = type1 === undefined ? 'without a type' : `type1 version ${type1.version}`;
      return `/dev/vfio/vfio, ${type}, with ${groups.length === 0 ? 'no group' : `group ${groups.join(' and ')}`}`;
    }
    case 'group':
      return file.container === undefined
        ? `group ${file.group}, without a container`
        : `group ${file.group}, whose container is ${numberOf(file.container)}`;
    case 'device':
      return `device ${visible(file.name)}`;
    case 'cdev': {
      const iommufd = file.bound ? boundDeviceOf(world, file.name)?.iommufd : undefined;
      return iommufd === undefined
        ? `device ${visible(file.name)} by its own file, not bound`
        : `device ${visible(file.name)} by its own file, bound to ${numberOf(iommufd)}`;
    }
    case 'access':
      return `access ${file.object} of ${numberOf(file.iommufd)}`;
    case 'memfd':
      return `memfd of ${file.length} bytes`;
    case 'unspecified':
      return `${visible(file.path)}, of which nothing is specified`;
  }
};

/** What a descriptor of the process refers to, in words; undefined where it is not open. */
export const descriptorText = (world: World, process: Process, fd: number): string | undefined => {
  for (const { key, value } of nodesOf(descriptorsOf(world, process))) {
    if (key !== fd) continue;
    const file = openFile(world, value);
    return file === undefined ? undefined : fileText(world, process, file);
  }
  return undefined;
};
