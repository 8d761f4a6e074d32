// SPDX-License-Identifier: MIT
// The emulator as a library, `iommufd-spec/emulator`: one process on one emulated kernel, written
// independently of the specification. It opens no device and runs in a browser.

export type { HiddenState } from '../machine/machine.ts';
export {
  type ContainerDomainState,
  type DomainState,
  type InspectableMachine,
  type Machine,
  MachineDied,
  type TableState,
  type Translation,
} from '../machine/machine.ts';
export { DEFECT_NAMES, type DefectName, isDefectName, saysOf } from './defects.ts';
export { EmulatedMachine } from './machine.ts';
