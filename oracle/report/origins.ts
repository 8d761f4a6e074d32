// Which call made what a violation's state shows: an area as it is, an object. Found by going through the calls once
// more, and looking at those few things only.

import type { ObjectId } from '../../spec/abi/units.ts';
import { areaAt } from '../../spec/state/area.ts';
import { type Context, ioasAt, objectAt } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { openFile, type World } from '../../spec/state/world.ts';
import type { MapLine } from './iova-map.ts';
import type { IoasAround, StateAround } from './state.ts';

/** Something to look at in every world; what it is while it stays the same. */
type Probe = {
  readonly look: (context: Context) => unknown;
  was: unknown;
  /** The call since which it is so. */
  since: string | undefined;
};

const probeOf = (look: Probe['look']): Probe => ({ look, was: undefined, since: undefined });

/** The key of an area. */
const keyOf = (ioas: ObjectId, start: bigint): string => `${ioas} ${start}`;

export class OriginSeeker {
  readonly #file: FileId | undefined;
  readonly #areas = new Map<string, Probe>();
  readonly #objects = new Map<ObjectId, Probe>();

  constructor({ iommufd, ioases, objects }: StateAround) {
    this.#file = iommufd;
    for (const { id, map } of ioases) {
      for (const line of map) if (line.kind === 'area') this.#addArea(id, line.start);
    }
    for (const { id } of objects) {
      this.#objects.set(
        id,
        probeOf((context) => objectAt(context, id) !== undefined),
      );
    }
  }

  #addArea(ioas: ObjectId, start: bigint): void {
    const look = (context: Context): unknown => {
      const node = areaAt(ioasAt(context, ioas)?.table.areas, start);
      return node?.key === start ? node.value : undefined;
    };
    this.#areas.set(keyOf(ioas, start), probeOf(look));
  }

  /** Takes note of the world after a call, which is called `name`: "line 15". */
  see(world: World, name: string): void {
    const file = this.#file === undefined ? undefined : openFile(world, this.#file);
    if (file?.kind !== 'iommufd') return;
    for (const probes of [this.#areas, this.#objects]) {
      for (const probe of probes.values()) {
        const is = probe.look(file.context);
        if (is === probe.was) continue;
        probe.was = is;
        probe.since = name;
      }
    }
  }

  #withOrigin(ioas: ObjectId, line: MapLine): MapLine {
    if (line.kind !== 'area') return line;
    const since = this.#areas.get(keyOf(ioas, line.start))?.since;
    return since === undefined ? line : { ...line, since };
  }

  #ioas(ioas: IoasAround): IoasAround {
    return { ...ioas, map: ioas.map.map((line) => this.#withOrigin(ioas.id, line)) };
  }

  /** The state with the calls that made what it shows. */
  told(state: StateAround): StateAround {
    return {
      ...state,
      ioases: state.ioases.map((ioas) => this.#ioas(ioas)),
      objects: state.objects.map((object) => {
        const since = this.#objects.get(object.id)?.since;
        return since === undefined ? object : { ...object, since };
      }),
    };
  }
}
