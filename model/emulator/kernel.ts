// SPDX-License-Identifier: MIT
// What all parts of the emulated kernel share: the release, the machine's memory, the process and
// its open files. One process, one address space.

import type { Credentials, Platform, Setting } from '../../spec/terms/platform.ts';
import { type Release, releaseOf } from '../../spec/terms/releases.ts';
import type { IommufdContext } from './context.ts';
import type { DefectName } from './defects.ts';
import { FileTable } from './files.ts';
import { Accounts } from './memory/accounting.ts';
import { AddressSpace } from './memory/address-space.ts';
import { Frames } from './memory/frames.ts';
import { Pinner } from './memory/gup.ts';
import { UserMemory } from './memory/user-memory.ts';
import { MockIommu } from './selftest/mock-iommu.ts';
import type { Container } from './type1/container.ts';
import { PlatformDevices } from './vfio/platform-devices.ts';

/** Bytes that one batch of pages may take, unless a test command sets another limit. */
const TEMPORARY_MEMORY_LIMIT = 65536;

export class Kernel {
  readonly release: Release;
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly defects: ReadonlySet<DefectName>;
  readonly frames = new Frames();
  readonly space = new AddressSpace(this.frames);
  readonly user = new UserMemory(this.space, this.frames);
  readonly pinner = new Pinner(this.space, this.frames);
  readonly accounts: Accounts;
  readonly files = new FileTable();
  /** Every iommufd that has a reference, closed ones included. */
  readonly contexts = new Set<IommufdContext>();
  /** Every legacy container that has a reference, closed ones included. */
  readonly containers = new Set<Container>();
  readonly mock: MockIommu;
  readonly devices: PlatformDevices;
  temporaryMemoryLimit = TEMPORARY_MEMORY_LIMIT;

  constructor(setting: Setting, defects: ReadonlySet<DefectName>) {
    this.release = releaseOf(setting.release);
    this.platform = setting.platform;
    this.credentials = setting.credentials;
    this.defects = defects;
    this.accounts = new Accounts(setting.credentials);
    this.mock = new MockIommu(this.release);
    this.devices = new PlatformDevices(setting.platform, this.release, this.frames);
  }
}
