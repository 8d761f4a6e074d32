// SPDX-License-Identifier: MIT
// VFIO_DEVICE_DETACH_IOMMUFD_PT: vfio_df_ioctl_detach_pt() in drivers/vfio/device_cdev.c. It succeeds even if nothing
// is attached.

import { decode, fieldOf } from '../abi/layout.ts';
import {
  VFIO_DEVICE_DETACH,
  VFIO_DEVICE_DETACH_MINIMUM,
  VFIO_DEVICE_DETACH_PASID,
} from '../abi/vfio.ts';
import { load } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, type Outcome, succeeded } from '../outcome/outcome.ts';
import type { FileId } from '../state/files.ts';
import {
  boundDeviceOf,
  type CdevFile,
  deviceNamed,
  stateOf,
  type World,
  withFile,
  withState,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, onlyWith, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import { detachedDevice } from './bind-device.ts';

export const deviceDetachIommufdPtRules = rulesOf(
  {
    id: 'device-detach-iommufd-pt',
    title: 'VFIO_DEVICE_DETACH_IOMMUFD_PT',
    source: 'vfio_df_ioctl_detach_pt() in drivers/vfio/device_cdev.c',
  },
  {
    structFault: refuses('EFAULT', 'The first 8 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 8.'),
    unknownFlags: refuses('EINVAL', 'A flag that the release does not know is set.'),
    noPasids: onlyWith(
      'attachPasids',
      refuses('EOPNOTSUPP', 'PASID is set, and the device is an mdev.'),
    ),
    tooShortForPasid: onlyWith(
      'attachPasids',
      refuses('EINVAL', 'PASID is set, and argsz is less than 12.'),
    ),
    pasidFault: onlyWith(
      'attachPasids',
      refuses('EFAULT', 'PASID is set, and pasid cannot be read.'),
    ),
    detaches: grants('Detaches the device.'),
    detachesNothing: grants(
      'Changes nothing: the device, or its PASID, is not attached. What PASID 0 attached is detached with PASID 0 only.',
      'vfio_iommufd_physical_detach_ioas() in drivers/vfio/iommufd.c',
    ),
  },
);

type Read = { readonly pasid: number | undefined } | { readonly outcomes: readonly Outcome[] };

const readPasid = (world: World, file: CdevFile, call: IoctlCall): Read => {
  const refusal = (rule: Rule): Read => ({ outcomes: [failed(rule, world)] });
  const rules = deviceDetachIommufdPtRules;
  const loaded = loadVfioStruct(world, call, VFIO_DEVICE_DETACH_MINIMUM, rules);
  if ('outcomes' in loaded) return loaded;
  const whole = new Uint8Array(VFIO_DEVICE_DETACH.size);
  whole.set(loaded.bytes);
  const { argsz, flags } = decode(VFIO_DEVICE_DETACH, whole);
  const known = world.release.attachKnowsPasids ? VFIO_DEVICE_DETACH_PASID : 0;
  if ((flags & ~known) !== 0) return refusal(rules.unknownFlags);
  if ((flags & VFIO_DEVICE_DETACH_PASID) === 0) return { pasid: undefined };
  if (deviceNamed(world, file.name).iommu === 'none') return refusal(rules.noPasids);
  if (argsz < VFIO_DEVICE_DETACH.size) return refusal(rules.tooShortForPasid);
  const at = call.argument + BigInt(fieldOf(VFIO_DEVICE_DETACH, 'pasid').offset);
  const more = load(world.memory, call, at, 4);
  if (more.kind !== 'bytes') return refusal(rules.pasidFault);
  return { pasid: new DataView(more.bytes.buffer, more.bytes.byteOffset, 4).getUint32(0, true) };
};

export const detachIommufdPt = (
  world: World,
  id: FileId,
  file: CdevFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const read = readPasid(world, file, call);
  if ('outcomes' in read) return read.outcomes;
  const open = boundDeviceOf(world, file.name);
  if (open === undefined) throw new Error(`Device ${file.name} is bound and not open.`);
  const state = stateOf(world, open.iommufd);
  const isMeant =
    read.pasid === undefined ? !file.attachedByPasid : read.pasid === 0 && file.attachedByPasid;
  const detached = isMeant ? detachedDevice(state, open.object) : state;
  if (detached === state) return [succeeded(deviceDetachIommufdPtRules.detachesNothing, world)];
  const after = withFile(withState(world, detached), id, { ...file, attachedByPasid: false });
  return [succeeded(deviceDetachIommufdPtRules.detaches, after)];
};
