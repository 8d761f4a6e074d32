// SPDX-License-Identifier: MIT
// An open /dev/iommu: its objects, its accounting mode and its compatibility IOAS.
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
  /** Pages are charged to the process, as by type1, instead of the user. */
  chargeProcess = false;
  compatIoas: Ioas | undefined = undefined;
  /** A no-IOMMU group has had this iommufd as its container. Never cleared. */
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

  /** The attachments of an IOMMU group in this iommufd. */
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
