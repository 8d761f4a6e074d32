// SPDX-License-Identifier: MIT
// Whether a program may have a group's device open through an iommufd and through a legacy container. The subject
// refuses that for a device without an IOMMU, by the files that are open. Before a program runs, on an unknown machine,
// every possible case counts.

import type { Operation, Value } from '../../model/programs/program.ts';
import { VFIO_GROUP_GET_DEVICE_FD, VFIO_GROUP_SET_CONTAINER } from '../../spec/abi/vfio.ts';
import { UnsafeCall } from '../safety/permitted.ts';

type Ioctl = Extract<Operation, { op: 'ioctl' }>;

const GROUP = /^\/dev\/vfio\/(?:noiommu-)?[0-9]+$/;
const LEGACY = '/dev/vfio/vfio';
const IOMMUFD = '/dev/iommu';

const ANY = 'any group';

/** Of these groups PCI devices are behind an IOMMU, and no mediated one has a name like theirs. */
const GUARDED = /^\/dev\/vfio\/[0-9]+$/;
const PCI = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\0$/;

const asksForPci = ({ argument }: Ioctl): boolean =>
  argument.kind === 'bytes' && PCI.test(Buffer.from(argument.hex, 'hex').toString('latin1'));

export class GroupUses {
  /** The path that each operation opened, by its label. */
  readonly #opened = new Map<string, string>();
  /** A number may be another file's since. */
  #isClosed = false;
  readonly #inLegacy = new Set<string>();
  readonly #inIommufd = new Set<string>();
  /** Groups that may have given a device while they were an iommufd's. */
  readonly #given = new Set<string>();

  /** Before the call is made. Throws UnsafeCall. */
  check(operation: Operation): void {
    if (operation.op !== 'ioctl' || operation.command !== VFIO_GROUP_GET_DEVICE_FD) return;
    const group = this.#groupOf(operation.fd);
    if (GUARDED.test(group) && asksForPci(operation)) return;
    if (has(this.#inLegacy, group) && has(this.#given, group)) {
      throw new UnsafeCall(
        'A device of the group may be open with an iommufd and is not opened with a legacy container too: see finding 0004.',
      );
    }
  }

  passed(operation: Operation): void {
    if (operation.op === 'open') this.#opened.set(operation.label, operation.path);
    else this.#opened.delete(operation.label);
    if (operation.op === 'close') this.#isClosed = true;
    if (operation.op !== 'ioctl') return;
    if (operation.command === VFIO_GROUP_SET_CONTAINER) this.#join(operation);
    else if (operation.command === VFIO_GROUP_GET_DEVICE_FD) {
      const group = this.#groupOf(operation.fd);
      if (has(this.#inIommufd, group)) this.#given.add(group);
    }
  }

  #join({ fd, argument }: Ioctl): void {
    const group = this.#groupOf(fd);
    const path =
      argument.kind === 'struct' && argument.layout === 'VFIO_GROUP_SET_CONTAINER'
        ? this.#pathOf(argument.fields.fd ?? 0n)
        : undefined;
    if (path !== IOMMUFD) this.#inLegacy.add(group);
    if (path !== LEGACY) this.#inIommufd.add(group);
  }

  #groupOf(fd: Value): string {
    const path = this.#pathOf(fd);
    return path !== undefined && GROUP.test(path) ? path : ANY;
  }

  /** The path of a descriptor, where it can be no other. */
  #pathOf(value: Value): string | undefined {
    if (this.#isClosed || typeof value === 'bigint' || !('from' in value)) return undefined;
    return value.out === 'result' ? this.#opened.get(value.from) : undefined;
  }
}

const has = (groups: ReadonlySet<string>, group: string): boolean =>
  groups.has(group) || groups.has(ANY) || (group === ANY && groups.size > 0);
