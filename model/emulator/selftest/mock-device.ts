// SPDX-License-Identifier: MIT
// The mock device that MOCK_DOMAIN makes, and the object that owns it.
// drivers/iommu/iommufd/selftest.c (struct mock_dev, struct selftest_obj).

import {
  MOCK_DEVICE_CACHE_DEFAULT,
  MOCK_DEVICE_CACHES,
  MOCK_FLAGS_DEVICE_HUGE_IOVA,
  MOCK_FLAGS_DEVICE_NO_DIRTY,
  MOCK_FLAGS_DEVICE_PASID,
  MOCK_PASID_WIDTH,
} from '../../../spec/abi/test.ts';
import type { Hardware } from '../domain.ts';
import { IommuGroup } from '../iommu-group.ts';
import type { AttachableDevice, IommufdDevice } from '../iommufd-device.ts';
import { KernelObject } from '../objects.ts';
import type { MockIommu } from './mock-iommu.ts';

export class MockDevice implements AttachableDevice {
  readonly hardware: Hardware;
  readonly group = new IommuGroup();
  readonly reserved = [];
  readonly canTrackDirty: boolean;
  readonly mock: { readonly caches: readonly number[]; readonly pasidBits: number };

  constructor(iommu: MockIommu, flags: number) {
    this.hardware = (flags & MOCK_FLAGS_DEVICE_HUGE_IOVA) !== 0 ? iommu.huge : iommu.plain;
    this.mock = {
      caches: new Array<number>(MOCK_DEVICE_CACHES).fill(MOCK_DEVICE_CACHE_DEFAULT),
      pasidBits: (flags & MOCK_FLAGS_DEVICE_PASID) !== 0 ? MOCK_PASID_WIDTH : 0,
    };
    this.canTrackDirty = (flags & MOCK_FLAGS_DEVICE_NO_DIRTY) === 0;
  }
}

export class MockDeviceObject extends KernelObject {
  device: IommufdDevice | undefined = undefined;

  override destroy(): void {
    this.device?.detach();
    this.device?.unbind();
  }
}
