// SPDX-License-Identifier: MIT
// A machine's description of its IOMMUs and devices, as the platform that programs for it are
// judged with.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { iommuOfMachine } from '../../../oracle/subjects/kernel/iommu.ts';
import type {
  DeviceDescription,
  IommuDescription,
  MachineDescription,
} from '../../../oracle/subjects/kernel/machine-description.ts';
import { platformOfMachine } from '../../../oracle/subjects/kernel/platform.ts';
import { EnvironmentError } from '../../../oracle/vm/environment-error.ts';
import { platform as platformNamed } from '../../helpers/settings.ts';

/**
 * Capability and extended capability as QEMU's VT-d reports them: 48 bits, and 39 bits with snoop
 * control.
 */
const WIDE: IommuDescription = {
  name: 'dmar0',
  vtd: { capabilities: 'd2008c222f0606', extended: 'f00f4a' },
};
const COHERENT: IommuDescription = {
  name: 'dmar1',
  vtd: { capabilities: 'd2008c22260206', extended: 'f00fca' },
};
const VIRTIO: IommuDescription = {
  name: '0000:00:01.0',
  virtio: { addressBits: 64, pageSizes: '0xfffffffffffff000' },
};

const device = (slot: number, iommu: string): DeviceDescription => ({
  name: `0000:00:0${slot}.0`,
  id: '8086:10d3',
  group: slot,
  noIommu: false,
  iommu,
  reserved: ['0x00000000fee00000 0x00000000feefffff msi'],
});

const MEDIATED: DeviceDescription = {
  name: 'mtty-1',
  id: '',
  group: 9,
  noIommu: false,
  reserved: [],
};

const machine = (
  iommus: readonly IommuDescription[],
  devices: readonly DeviceDescription[],
): MachineDescription => ({
  release: '7.3.4',
  iommus,
  devices,
  hasIommufd: true,
  hasContainer: true,
  noIommuEnabled: false,
  hasTestCommands: false,
  hasHugePages: false,
  hasDeviceMemory: false,
});

const described = suite('platform of a machine');

described('an IOMMU is as it describes itself', () => {
  assert.equal(iommuOfMachine(WIDE), platformNamed('vtd').iommus[0]);
  assert.equal(iommuOfMachine(COHERENT), platformNamed('coherent').iommus[0]);
  assert.equal(iommuOfMachine(VIRTIO), platformNamed('virtio').iommus[0]);
});

described(
  "addresses are as wide as the tables and the guest's limit, pages as large as both bits allow",
  () => {
    const capabilities = (widest: number, tables: number, pages: number): string =>
      ((BigInt(pages) << 34n) | (BigInt(widest - 1) << 16n) | (BigInt(tables) << 8n)).toString(16);
    const cases = [
      { widest: 57, tables: 0b1100, pages: 0b11, width: 57n, sizes: 0x4020_1000n },
      { widest: 57, tables: 0b0100, pages: 0b01, width: 48n, sizes: 0x20_1000n },
      { widest: 42, tables: 0b0110, pages: 0b00, width: 42n, sizes: 0x1000n },
      { widest: 48, tables: 0b0010, pages: 0b00, width: 39n, sizes: 0x1000n },
    ];
    for (const { widest, tables, pages, width, sizes } of cases) {
      const vtd = { capabilities: capabilities(widest, tables, pages), extended: '0' };
      const found = iommuOfMachine({ name: 'dmar0', vtd });
      assert.is(found?.aperture.last, (1n << width) - 1n);
      assert.is(found?.pageSizes, sizes);
    }
  },
);

described('devices of equal IOMMUs share domains, others do not', () => {
  const pair = { ...WIDE, name: 'dmar2' };
  const { iommus, devices, name, mockDevices } = platformOfMachine(
    machine(
      [WIDE, COHERENT, pair],
      [device(1, 'dmar0'), device(2, 'dmar1'), device(3, 'dmar2'), MEDIATED],
    ),
  );
  assert.is(iommus.length, 2);
  assert.equal(
    devices.map(({ iommu }) => iommu),
    [0, 1, 0, 'none'],
  );
  assert.is(name, 'mixed');
  assert.is(mockDevices, false);
});

described('unused IOMMUs are not part of the platform', () => {
  const { iommus, name, mockDevices } = platformOfMachine(machine([WIDE], [MEDIATED]));
  assert.equal({ iommus, name, mockDevices }, { iommus: [], name: 'mdev', mockDevices: true });
});

described('a device behind an IOMMU that is not specified is named', () => {
  const others: readonly IommuDescription[] = [
    { name: 'ivhd0' },
    { name: 'dmar0', vtd: { capabilities: 'd2008c222f0606', extended: '880000f00f4a' } },
  ];
  for (const other of others) {
    assert.throws(
      () => platformOfMachine(machine([other], [device(4, other.name)])),
      (error: unknown) =>
        error instanceof EnvironmentError &&
        /0000:00:04\.0 .*\((ivhd0|dmar0)\)/.test(error.message),
    );
  }
});

described.run();
