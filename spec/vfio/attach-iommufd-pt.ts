// SPDX-License-Identifier: MIT
// VFIO_DEVICE_ATTACH_IOMMUFD_PT: vfio_df_ioctl_attach_pt() in drivers/vfio/device_cdev.c. A device that is attached
// moves to the other IOAS or hwpt without being detached in between.

import { decode, fieldOf } from '../abi/layout.ts';
import { type ObjectId, objectId } from '../abi/units.ts';
import {
  VFIO_DEVICE_ATTACH,
  VFIO_DEVICE_ATTACH_MINIMUM,
  VFIO_DEVICE_ATTACH_PASID,
} from '../abi/vfio.ts';
import { attachingRules } from '../iommufd/attach.ts';
import { idChoice } from '../iommufd/request.ts';
import { unspecified, untrackingAll } from '../iommufd/untracked.ts';
import { withMemoryDoubt } from '../knowledge/memory-doubt.ts';
import { load, write } from '../knowledge/user-copy.ts';
import { loadVfioStruct } from '../knowledge/vfio-struct.ts';
import { failed, failuresBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { deviceAt, lowestFreeId, objectAt } from '../state/context.ts';
import type { FileId } from '../state/files.ts';
import type { IommufdState } from '../state/iommufd-state.ts';
import {
  type BoundDevice,
  boundDeviceOf,
  type CdevFile,
  deviceNamed,
  stateOf,
  type World,
  withFile,
  withState,
} from '../state/world.ts';
import type { IoctlCall } from '../terms/call.ts';
import { grants, isRefused, onlyWith, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import { type AttachedTo, attachedDevice, detachedDevice } from './bind-device.ts';

export const deviceAttachIommufdPtRules = rulesOf(
  {
    id: 'device-attach-iommufd-pt',
    title: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT',
    source: 'vfio_df_ioctl_attach_pt() in drivers/vfio/device_cdev.c',
  },
  {
    structFault: refuses('EFAULT', 'The first 12 bytes of the struct cannot be read.'),
    tooShort: refuses('EINVAL', 'argsz is less than 12.'),
    unknownFlags: refuses('EINVAL', 'A flag that the release does not know is set.'),
    noPasids: onlyWith(
      'attachPasids',
      refuses('EOPNOTSUPP', 'PASID is set, and the device is an mdev.'),
    ),
    tooShortForPasid: onlyWith(
      'attachPasids',
      refuses('EINVAL', 'PASID is set, and argsz is less than 16.'),
    ),
    pasidFault: onlyWith(
      'attachPasids',
      refuses('EFAULT', 'PASID is set, and pasid cannot be read.'),
    ),
    pasidTooLarge: onlyWith(
      'attachPasids',
      refuses(
        'ENOSPC',
        'pasid is 2^31 or more.',
        'vfio_iommufd_physical_pasid_attach_ioas() in drivers/vfio/iommufd.c',
      ),
    ),
    attachedOtherwise: onlyWith(
      'attachPasids',
      refuses(
        'EBUSY',
        'The device is attached with PASID 0 and the call has no PASID, or the reverse: both are one attachment.',
        'iommufd_hw_pagetable_attach() in drivers/iommu/iommufd/device.c',
      ),
    ),
    pasidIncompatible: onlyWith(
      'attachPasids',
      refuses(
        'EINVAL',
        'pasid is not 0, and the domain was allocated without PASID, as one for an IOAS always is.',
        'iommufd_hwpt_pasid_compat() in drivers/iommu/iommufd/device.c',
      ),
    ),
    attaches: grants(
      'Attaches the device to the IOAS or hwpt, and to nothing else; pt_id returns the hwpt, or for an mdev the IOAS.',
    ),
    replyFault: refuses(
      'EFAULT',
      'pt_id cannot be written: the device is detached, even from what it was attached to before. With PASID 0 it stays attached.',
    ),
  },
);

/** How the device is to be attached. */
type AttachRequest = {
  readonly target: ObjectId;
  /** Undefined without the flag PASID. */
  readonly pasid: number | undefined;
};

type Read = AttachRequest | { readonly outcomes: readonly Outcome[] };

const readRequest = (world: World, file: CdevFile, call: IoctlCall): Read => {
  const refusal = (rule: Rule): Read => ({ outcomes: [failed(rule, world)] });
  const rules = deviceAttachIommufdPtRules;
  const loaded = loadVfioStruct(world, call, VFIO_DEVICE_ATTACH_MINIMUM, rules);
  if ('outcomes' in loaded) return loaded;
  const whole = new Uint8Array(VFIO_DEVICE_ATTACH.size);
  whole.set(loaded.bytes);
  const { argsz, flags, pt_id: target } = decode(VFIO_DEVICE_ATTACH, whole);
  const known = world.release.attachKnowsPasids ? VFIO_DEVICE_ATTACH_PASID : 0;
  if ((flags & ~known) !== 0) return refusal(rules.unknownFlags);
  if ((flags & VFIO_DEVICE_ATTACH_PASID) === 0) return { target, pasid: undefined };
  if (deviceNamed(world, file.name).iommu === 'none') return refusal(rules.noPasids);
  if (argsz < VFIO_DEVICE_ATTACH.size) return refusal(rules.tooShortForPasid);
  const at = call.argument + BigInt(fieldOf(VFIO_DEVICE_ATTACH, 'pasid').offset);
  const more = load(world.memory, call, at, 4);
  if (more.kind !== 'bytes') return refusal(rules.pasidFault);
  const pasid = new DataView(more.bytes.buffer, more.bytes.byteOffset, 4).getUint32(0, true);
  return { target, pasid };
};

const PASID_MAX = 0x7fff_ffff;
/** -EINVAL as a u32: the result of the kernel's search for a PASID that is too large. */
const PASID_TAKEN_FOR_ATTACHED = 0xffff_ffea;

/** Why the device cannot be attached, whatever the domain of the target is. */
const refusalOf = (
  state: IommufdState,
  file: CdevFile,
  { object }: BoundDevice,
  { target, pasid }: AttachRequest,
): Rule | undefined => {
  if (deviceAt(state.context, object) === undefined) return undefined;
  if (pasid !== undefined && pasid > PASID_MAX) {
    return deviceAttachIommufdPtRules.pasidTooLarge;
  }
  const found = objectAt(state.context, target);
  if (found === undefined) return attachingRules.noTarget;
  if (found.kind !== 'ioas' && found.kind !== 'hwpt') return attachingRules.notATarget;
  if (pasid !== undefined && pasid !== 0) return deviceAttachIommufdPtRules.pasidIncompatible;
  const isAttached = deviceAt(state.context, object)?.hwpt !== undefined;
  return isAttached && file.attachedByPasid !== (pasid === 0)
    ? deviceAttachIommufdPtRules.attachedOtherwise
    : undefined;
};

export const attachIommufdPt = (
  world: World,
  id: FileId,
  file: CdevFile,
  call: IoctlCall,
): readonly Outcome[] => {
  const wanted = readRequest(world, file, call);
  if ('outcomes' in wanted) return wanted.outcomes;
  const open = boundDeviceOf(world, file.name);
  if (open === undefined) throw new Error(`Device ${file.name} is bound and not open.`);
  const state = stateOf(world, open.iommufd);
  const { untracked } = state.context;
  if (untracked !== undefined) {
    const what = `${untracked} may have changed the iommufd`;
    return [{ kind: 'unspecified', what, doubtful: true, world: () => world }];
  }
  const bytes = new Uint8Array(VFIO_DEVICE_ATTACH.size);
  const request = { world, file: open.iommufd, call, bytes, userSize: bytes.length };
  if (objectAt(state.context, wanted.target)?.kind === 'unspecified') {
    return [untrackingAll(request, 'attaching a device to an object that is not specified')];
  }
  if (wanted.pasid === PASID_TAKEN_FOR_ATTACHED) {
    return [
      unspecified(
        world,
        'ATTACH_IOMMUFD_PT for a PASID that the kernel mistakes for an attached one',
      ),
    ];
  }
  const refusal = refusalOf(state, file, open, wanted);
  if (refusal !== undefined) return [failed(refusal, world)];
  const fresh = lowestFreeId(state.context);
  const attached = attachedDevice(world, state, open.object, wanted.target, fresh);
  if (isRefused(attached)) return failuresBy(attached, world);
  const attachedByPasid = wanted.pasid === 0;
  const withAttached = (done: AttachedTo): World =>
    withFile(withState(world, done.state), id, { ...file, attachedByPasid });
  const answered = new Uint8Array(4);
  new DataView(answered.buffer).setUint32(0, attached.target, true);
  const at = call.argument + BigInt(fieldOf(VFIO_DEVICE_ATTACH, 'pt_id').offset);
  const answer = write(world.memory, call.process, at, answered);
  if (!answer.whole) {
    const after = attachedByPasid
      ? withAttached(attached)
      : withState(world, detachedDevice(attached.state, open.object));
    return [failed(deviceAttachIommufdPtRules.replyFault, after, [answer.write])];
  }
  const reply = succeeded(deviceAttachIommufdPtRules.attaches, withAttached(attached), [
    answer.write,
  ]);
  if (attached.target !== fresh) return withMemoryDoubt(reply, world, true);
  const otherwise = (chosen: ObjectId): World => {
    const other = attachedDevice(world, state, open.object, wanted.target, chosen);
    return withAttached(isRefused(other) ? attached : other);
  };
  const choices = {
    list: [idChoice(request, VFIO_DEVICE_ATTACH, 'pt_id', fresh)],
    world: ([chosen]: readonly bigint[]) => otherwise(objectId(Number(chosen))),
  };
  return withMemoryDoubt({ ...reply, choices }, world, true);
};
