// SPDX-License-Identifier: MIT
// Reads the hidden state: translations, pins and charges.

import { PAGE_SIZE } from '../../spec/abi/units.ts';
import type {
  ContainerDomainState,
  DomainState,
  HiddenState,
  TableState,
  Translation,
} from '../machine/machine.ts';
import type { IommufdContext } from './context.ts';
import type { Domain } from './domain.ts';
import { Hwpt } from './hwpt.ts';
import { Ioas } from './ioas.ts';
import type { Kernel } from './kernel.ts';

/** The domain's translations: contiguous ones are merged, up to the end of a run of frames. */
const translationsOf = (domain: Domain): Translation[] => {
  const list: Translation[] = [];
  for (const { iova, length, physical, permission } of domain.table) {
    for (let done = 0; done < length; ) {
      const frame = Math.floor((physical + done) / PAGE_SIZE);
      const offset = (physical + done) % PAGE_SIZE;
      const part = Math.min(length - done, PAGE_SIZE - offset);
      const { readable, writable } = permission;
      append(list, { iova: iova + BigInt(done), length: part, frame, offset, readable, writable });
      done += part;
    }
  }
  return list;
};

const append = (list: Translation[], next: Translation): void => {
  const previous = list.at(-1);
  if (
    previous !== undefined &&
    previous.frame === next.frame &&
    previous.iova + BigInt(previous.length) === next.iova &&
    previous.offset + previous.length === next.offset &&
    previous.readable === next.readable &&
    previous.writable === next.writable
  ) {
    list[list.length - 1] = { ...previous, length: previous.length + next.length };
  } else {
    list.push(next);
  }
};

const domainsOf = (kernel: Kernel, context: IommufdContext): DomainState[] => {
  const fd = kernel.files.descriptorOf(context);
  const list: DomainState[] = [];
  for (const object of context.objects) {
    if (!(object instanceof Hwpt)) continue;
    list.push({ fd, hwpt: object.id, translations: translationsOf(object.domain) });
  }
  return list;
};

const tablesOf = (kernel: Kernel, context: IommufdContext): TableState[] => {
  const fd = kernel.files.descriptorOf(context);
  const list: TableState[] = [];
  for (const object of context.objects) {
    if (!(object instanceof Ioas)) continue;
    list.push({ fd, ioas: object.id, alignment: object.table.alignment });
  }
  return list;
};

const containerDomainsOf = (kernel: Kernel): ContainerDomainState[] =>
  [...kernel.containers]
    .flatMap(({ iommu }) => iommu?.domains ?? [])
    .map(({ domain, groups }) => ({
      groups: groups.map(({ number }) => number).sort((a, b) => a - b),
      translations: translationsOf(domain),
    }))
    .sort((a, b) => (a.groups[0] ?? 0) - (b.groups[0] ?? 0));

export const hiddenStateOf = (kernel: Kernel): HiddenState => {
  const domains = [...kernel.contexts].flatMap((context) => domainsOf(kernel, context));
  const tables = [...kernel.contexts].flatMap((context) => tablesOf(kernel, context));
  const { process, pinned, user } = kernel.accounts;
  return {
    tables: tables.sort((a, b) => a.fd - b.fd || a.ioas - b.ioas),
    domains: domains.sort((a, b) => a.fd - b.fd || a.hwpt - b.hwpt),
    containerDomains: containerDomainsOf(kernel),
    pins: kernel.frames.pinned(),
    locked: { process, pinned, user },
  };
};
