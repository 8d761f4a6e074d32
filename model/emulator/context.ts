// SPDX-License-Identifier: MIT
// An open /dev/iommu: its objects, how it charges, and which IOAS the VFIO calls mean.
// drivers/iommu/iommufd/main.c (struct iommufd_ctx).

import { OpenFile } from './files.ts';
import type { Ioas } from './ioas.ts';
import type { IommuGroup } from './iommu-group.ts';
import { AttachedGroup } from './iommufd-device.ts';
import { dispatch } from './iommufd-ioctl.ts';
import type { Kernel } from './kernel.ts';
import { ObjectTable } from './objects.ts';

export class IommufdContext extends OpenFile {
  readonly kernel: Kernel;
  readonly objects: ObjectTable;
  /** Pages are charged to the process, as VFIO did, rather than to the user. */
  chargeProcess = false;
  compatIoas: Ioas | undefined = undefined;
  /** A no-IOMMU group has had it as its container. It stays so. */
  noIommu = false;
  readonly #groups = new WeakMap<IommuGroup, AttachedGroup>();

  constructor(kernel: Kernel) {
    super();
    this.kernel = kernel;
    this.objects = new ObjectTable(kernel);
    kernel.contexts.add(this);
  }

  override ioctl(command: number, argument: bigint): number {
    return dispatch(this, command, argument);
  }

  /** What this iommufd knows of an IOMMU group. */
  attachedGroup(group: IommuGroup): AttachedGroup {
    let attached = this.#groups.get(group);
    if (attached === undefined) {
      attached = new AttachedGroup();
      this.#groups.set(group, attached);
    }
    return attached;
  }

  protected override released(): void {
    this.objects.destroyAll();
    this.kernel.contexts.delete(this);
  }
}
