// SPDX-License-Identifier: MIT
// What IOAS_MAP, IOAS_MAP_FILE and IOAS_COPY have in common: their flags, and their reply with the IOVA.

import type { Layout, SomeValues } from '../abi/layout.ts';
import { MAP_FIXED_IOVA, MAP_READABLE, MAP_WRITEABLE } from '../abi/native.ts';
import { U64_MAX } from '../abi/units.ts';
import type { Permissions } from '../iopt/map.ts';
import type { Mapped, Target } from '../iopt/map-user.ts';
import { type Choice, failed, type Reply, succeeded, withChoices } from '../outcome/outcome.ts';
import { type World, withState } from '../state/world.ts';
import type { Rule } from '../terms/rule.ts';
import { addressOf, type Request, respond } from './request.ts';

/** Whether all flags are known. */
export const hasKnownFlags = (flags: number): boolean =>
  (flags & ~(MAP_FIXED_IOVA | MAP_WRITEABLE | MAP_READABLE)) === 0;

export const permissionsOf = (flags: number): Permissions => ({
  readable: (flags & MAP_READABLE) !== 0,
  writable: (flags & MAP_WRITEABLE) !== 0,
});

/** The IOVA is the program's with FIXED_IOVA, and the kernel's choice without. */
export const targetOf = (flags: number, iova: bigint): Target =>
  (flags & MAP_FIXED_IOVA) === 0 ? { kind: 'chosen' } : { kind: 'fixed', iova };

/** Native calls refuse U64_MAX as an IOVA or a length. */
export const isU64Max = (value: bigint): boolean => value >= U64_MAX;

/** The struct of a map: its layout, and the field that returns the IOVA. */
type MapStruct<L extends Layout> = {
  readonly layout: L;
  readonly field: keyof L['table'] & string;
};

/** The reply to a map that was made. */
export const mapReply = <L extends Layout>(
  request: Request,
  { layout, field }: MapStruct<L>,
  target: Target,
  mapped: Mapped,
  rules: { readonly granted: Rule; readonly replyFault: Rule },
): Reply => {
  const { world } = request;
  const after = withState(world, mapped.state);
  const answer = respond(request, layout, { [field]: mapped.iova } as SomeValues<L>);
  if (!answer.whole) return failed(rules.replyFault, after, [answer.write]);
  const reply = succeeded(rules.granted, after, [answer.write]);
  if (target.kind === 'fixed') return reply;
  const iova: Choice = {
    what: 'an IOVA',
    location: { in: 'memory', address: addressOf(request, layout, field), width: 8 },
    preferred: mapped.iova,
    unfit: (other) => mapped.unfit(other),
  };
  const elsewhere = ([chosen]: readonly bigint[]): World =>
    chosen === undefined || chosen === mapped.iova
      ? after
      : withState(world, mapped.elsewhere(chosen));
  return withChoices(reply, { list: [iova], world: elsewhere });
};
