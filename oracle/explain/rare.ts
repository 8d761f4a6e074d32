// SPDX-License-Identifier: MIT
// Rules that refuse the usual calls and are seldom why: pointers into unmapped memory, and fields that common programs
// do not set. They are listed by their ids, without a cause.

import type { RuleId } from '../../spec/rules.ts';

export const RARE: readonly RuleId[] = [
  'type1-attach-group/nesting',
  'type1-map-dma/struct-fault',
  'compat-map-dma/struct-fault',
  'pinning/file-too-short',
  'type1-unmap-dma/struct-fault',
  'type1-unmap-dma/bitmap-struct-fault',
  'type1-unmap-dma/bitmap-fault',
  'type1-unmap-dma/reply-fault',
  'compat-unmap-dma/struct-fault',
  'compat-unmap-dma/reply-fault',
  'group-set-container/descriptor-fault',
  'group-get-device-fd/name-fault',
  'group-get-device-fd/name-too-long',
  'device-bind-iommufd/struct-fault',
  'device-bind-iommufd/tail-fault',
  'device-bind-iommufd/negative-descriptor',
  'device-bind-iommufd/token-fault',
  'device-bind-iommufd/reply-fault',
  'device-attach-iommufd-pt/struct-fault',
  'device-attach-iommufd-pt/pasid-fault',
  'device-attach-iommufd-pt/reply-fault',
  'ioctl-dispatch/size-fault',
  'ioctl-dispatch/tail-fault',
  'ioctl-dispatch/struct-fault',
  'ioas-map/reply-fault',
  'ioas-unmap/reply-fault',
];
