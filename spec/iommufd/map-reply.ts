// SPDX-License-Identifier: MIT
// What IOAS_MAP, IOAS_MAP_FILE and IOAS_COPY have in common: their flags, and their reply with the IOVA.

import type { Layout, SomeValues } from '../abi/layout.ts';
import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import type { Permissions } from '../iopt/map.ts';
import type { Mapped } from '../iopt/map-user.ts';
import { failed, type Reply, succeeded, withChoices } from '../outcome/outcome.ts';
import { withState } from '../state/world.ts';
import type { Rule } from '../terms/rule.ts';
import { addressOf, type Request, respond } from './request.ts';

/** Whether all flags are known. */
export const hasKnownFlags = (flags: number): boolean =>
  (flags & ~(MAP_FIXED_IOVA | MAP_WRITEABLE | MAP_READABLE)) === 0;

export const wantsFixed = (flags: number): boolean => (flags & MAP_FIXED_IOVA) !== 0;

export const permissionsOf = (flags: number): Permissions => ({
  readable: (flags & MAP_READABLE) !== 0,
  writable: (flags & MAP_WRITEABLE) !== 0,
});

/** Native calls refuse U64_MAX as an IOVA or a length. */
export const isU64Max = (value: bigint): boolean => value >= U64_MAX;

/** The reply to a map that was made, with the IOVA in `field`. */
export const mapReply = <L extends Layout>(
  request: Request,
  layout: L,
  field: keyof L['table'] & string,
  mapped: Mapped,
  chosen: boolean,
  rules: { readonly granted: Rule; readonly unanswered: Rule },
): Reply => {
  const { world } = request;
  const after = withState(world, mapped.state);
  const answer = respond(request, layout, { [field]: mapped.iova } as SomeValues<L>);
  if (!answer.whole) return failed(rules.unanswered, after, [answer.write]);
  const reply = succeeded(rules.granted, after, [answer.write]);
  if (!chosen) return reply;
  return withChoices(reply, {
    list: [
      {
        what: 'an IOVA',
        location: { in: 'memory', address: addressOf(request, layout, field), width: 8 },
        preferred: mapped.iova,
        unfit: (iova) => mapped.unfit(iova),
      },
    ],
    world: ([iova]) =>
      iova === undefined || iova === mapped.iova ? after : withState(world, mapped.elsewhere(iova)),
  });
};
