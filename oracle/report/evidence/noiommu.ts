// SPDX-License-Identifier: MIT
// Conditions of the rules of no-IOMMU groups: which group is one, and which groups the container has.

import { fileDescriptor } from '../../../spec/abi/units.ts';
import { hasNoIommuGroups } from '../../../spec/state/container.ts';
import { fileAt, type GroupFile, type OpenFile, openFile } from '../../../spec/state/world.ts';
import { isNoIommuGroup } from '../../../spec/terms/platform.ts';
import { groupsText } from '../../text/file-text.ts';
import { type Condition, type Conditions, type Evidence, type Facts, passed } from './condition.ts';

const fileOf = ({ world, call }: Facts, fd: number): OpenFile | undefined => {
  const id = fileAt(world, call.process, fileDescriptor(fd));
  return id === undefined ? undefined : openFile(world, id);
};

/** Whether the call's group is a no-IOMMU group, with a clause that says so. */
const ofGroup = (
  facts: Facts,
  conclude: (group: GroupFile, noIommu: boolean, text: string) => Evidence | undefined,
): Evidence | undefined => {
  const file = fileOf(facts, facts.call.fd);
  if (file?.kind !== 'group') return undefined;
  const noIommu = isNoIommuGroup(facts.world.setting.platform, file.group);
  const is = noIommu ? 'is a no-IOMMU group' : 'is not a no-IOMMU group';
  return conclude(file, noIommu, `group ${file.group} ${is}`);
};

/** The container that SET_CONTAINER names. */
const named = (facts: Facts): OpenFile | undefined =>
  fileOf(facts, Number(passed(facts, 'fd')) | 0);

const mixes: Condition = (facts) =>
  ofGroup(facts, (_, noIommu, text) => {
    const file = named(facts);
    if (file?.kind !== 'container') return { holds: false, fact: `${text}; it joins no container` };
    const { platform } = facts.world.setting;
    const { groups } = file.container;
    return {
      holds: groups.length > 0 && noIommu !== hasNoIommuGroups(platform, file.container),
      fact: `${text}, and the container has ${groupsText(platform, groups)}`,
    };
  });

const servesNoIommu: Condition = (facts) =>
  ofGroup(facts, (_, noIommu, text) => {
    const file = named(facts);
    if (file?.kind !== 'iommufd') return { holds: false, fact: `${text}; it joins no iommufd` };
    const serves = file.context.noIommu;
    return {
      holds: serves && !noIommu,
      fact: `${text}, and ${serves ? 'a' : 'no'} no-IOMMU group has had the iommufd as its container`,
    };
  });

/** The iommufd has an IOAS for VFIO calls, and the group is without an IOMMU. */
const withIoas =
  (container: (facts: Facts, group: GroupFile) => OpenFile | undefined): Condition =>
  (facts) =>
    ofGroup(facts, (group, noIommu, text) => {
      const file = container(facts, group);
      if (file?.kind !== 'iommufd') return { holds: false, fact: `${text}; it has no iommufd` };
      const { compatIoas } = file.context;
      const has = compatIoas === undefined ? 'no IOAS' : `IOAS ${compatIoas}`;
      return {
        holds: noIommu && compatIoas !== undefined,
        fact: `${text}, and VFIO calls on the iommufd have ${has}`,
      };
    });

const containerOfGroup = ({ world }: Facts, { container }: GroupFile): OpenFile | undefined =>
  container === undefined ? undefined : openFile(world, container);

/** GET_DEVICE_FD: a rule for devices that are not open. */
const closed = (facts: Facts, group: GroupFile): OpenFile | undefined => {
  const { devices } = facts.world.setting.platform;
  const isOpen = devices.some(
    (device) => device.group === group.group && facts.world.devices.has(device.name),
  );
  return isOpen ? undefined : containerOfGroup(facts, group);
};

const serving: Condition = ({ context }) =>
  context === undefined
    ? undefined
    : {
        holds: true,
        fact: `${context.noIommu ? 'a' : 'no'} no-IOMMU group has had the iommufd as its container`,
      };

export const noIommuConditions: Conditions = {
  'group-set-container/mixes-no-iommu': mixes,
  'group-set-container/serves-no-iommu': servesNoIommu,
  'group-set-container/no-iommu-with-ioas': withIoas(named),
  'group-get-device-fd/no-iommu-with-ioas': withIoas(closed),
  'compat-check-extension/type1': serving,
};
