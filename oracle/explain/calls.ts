// SPDX-License-Identifier: MIT
// The calls that can be explained, and the rules that each meets on each path.

import type { NativeCallName } from '../../spec/abi/native.ts';
import { mayApply, partsUsedBy } from '../../spec/parts-used.ts';
import { ALL_PARTS, type PartId, type RuleId, ruleAt } from '../../spec/rules.ts';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { Rule } from '../../spec/terms/rule.ts';
import type { Path } from './path.ts';

type Route =
  /** The call's own part behind the dispatch, on a path. */
  { readonly dispatch?: PartId; readonly part: PartId } | { readonly rules: readonly RuleId[] };

type Routes = Readonly<Partial<Record<Path, Route>>>;

const GROUP_OPEN: Route = {
  rules: ['open/no-group', 'open/group-not-privileged', 'open/device-bound', 'open/group-open'],
};

const onContainers = (type1: PartId, compat: PartId): Routes => ({
  type1: { dispatch: 'type1-dispatch', part: type1 },
  compat: { part: compat },
});

const onGroups = (part: PartId): Routes => {
  const route: Route = { dispatch: 'group-dispatch', part };
  return { type1: route, compat: route };
};

const onDevices = (part: PartId): Routes => ({ native: { dispatch: 'device-dispatch', part } });

const VFIO_CALLS = {
  'open of /dev/vfio/N': { type1: GROUP_OPEN, compat: GROUP_OPEN },
  'open of /dev/vfio/vfio': { type1: { rules: [] }, compat: { rules: [] } },
  'open of /dev/iommu': { compat: { rules: [] }, native: { rules: [] } },
  'open of /dev/vfio/devices/vfioN': {
    native: { rules: ['open/no-device', 'open/device-not-privileged'] },
  },
  'binding a device to vfio-pci': {
    type1: { rules: [] },
    compat: { rules: [] },
    native: { rules: [] },
  },
  VFIO_CHECK_EXTENSION: onContainers('type1-check-extension', 'compat-check-extension'),
  VFIO_SET_IOMMU: { type1: { part: 'type1-set-iommu' }, compat: { part: 'compat-set-iommu' } },
  VFIO_IOMMU_GET_INFO: onContainers('type1-get-info', 'compat-get-info'),
  VFIO_IOMMU_MAP_DMA: onContainers('type1-map-dma', 'compat-map-dma'),
  VFIO_IOMMU_UNMAP_DMA: onContainers('type1-unmap-dma', 'compat-unmap-dma'),
  VFIO_IOMMU_DIRTY_PAGES: onContainers('type1-dirty-pages', 'compat-dispatch'),
  VFIO_GROUP_GET_STATUS: onGroups('group-get-status'),
  VFIO_GROUP_SET_CONTAINER: onGroups('group-set-container'),
  VFIO_GROUP_UNSET_CONTAINER: onGroups('group-unset-container'),
  VFIO_GROUP_GET_DEVICE_FD: onGroups('group-get-device-fd'),
  VFIO_DEVICE_BIND_IOMMUFD: onDevices('device-bind-iommufd'),
  VFIO_DEVICE_ATTACH_IOMMUFD_PT: onDevices('device-attach-iommufd-pt'),
  VFIO_DEVICE_DETACH_IOMMUFD_PT: onDevices('device-detach-iommufd-pt'),
} as const satisfies Readonly<Record<string, Routes>>;

export type CallName = keyof typeof VFIO_CALLS | NativeCallName;

const routesOf = (call: CallName): Routes => {
  const routes: Readonly<Partial<Record<CallName, Routes>>> = VFIO_CALLS;
  const own = routes[call];
  if (own !== undefined) return own;
  const part = ALL_PARTS.find(({ title }) => title === call);
  return part === undefined ? {} : { native: { dispatch: 'ioctl-dispatch', part: part.id } };
};

export const VFIO_CALL_NAMES = Object.keys(VFIO_CALLS) as (keyof typeof VFIO_CALLS)[];

/** Rules in parts of both paths that apply on one alone. */
const ONLY_ON: Readonly<Partial<Record<RuleId, Path>>> = {
  'group-set-container/no-iommu-not-privileged': 'type1',
  'group-set-container/mixes-no-iommu': 'type1',
  'group-set-container/group-owned': 'type1',
  'group-set-container/group-in-use': 'type1',
  'group-set-container/no-iommu-with-ioas': 'compat',
  'group-set-container/serves-no-iommu': 'compat',
  'group-unset-container/device-open': 'type1',
  'group-get-device-fd/no-type': 'type1',
  'group-get-device-fd/type1-no-iommu-not-privileged': 'type1',
  'group-get-device-fd/no-iommu-not-privileged': 'compat',
  'group-get-device-fd/no-iommu-with-ioas': 'compat',
};

/** The legacy container's parts use none of iommufd, nor the reverse. */
const isOn = (path: Path, part: PartId): boolean =>
  part.startsWith('type1-') === (path === 'type1');

const rulesOfPart = (part: PartId): readonly Rule<RuleId>[] =>
  ALL_PARTS.find(({ id }) => id === part)?.rules ?? [];

/** The paths on which a program can make the call. */
export const pathsOf = (call: CallName): readonly Path[] => Object.keys(routesOf(call)) as Path[];

const refusals = (call: CallName, path: Path): readonly Rule<RuleId>[] => {
  const route = routesOf(call)[path];
  if (route === undefined) return [];
  const rules =
    'rules' in route
      ? route.rules.map(ruleAt)
      : [
          ...(route.dispatch === undefined ? [] : [route.dispatch]),
          route.part,
          ...partsUsedBy(route.part).filter((part) => isOn(path, part)),
        ].flatMap(rulesOfPart);
  return rules.filter(({ id, errno }) => errno !== undefined && (ONLY_ON[id] ?? path) === path);
};

/** By call and path: a log asks for the same ones again and again. */
const known = new Map<string, readonly Rule<RuleId>[]>();

/** The rules that can refuse the call on the path, in the order of the kernel's checks. */
export const refusalsOf = (call: CallName, path: Path): readonly Rule<RuleId>[] => {
  const key = `${path} ${call}`;
  const rules = known.get(key) ?? refusals(call, path);
  known.set(key, rules);
  return rules;
};

/** Whether the rule may apply in one of the releases. */
export const appliesIn = (rule: Rule, releases: readonly ReleaseName[]): boolean =>
  releases.some((name) => mayApply(name, rule));
