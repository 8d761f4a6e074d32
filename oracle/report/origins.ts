// SPDX-License-Identifier: MIT
// The calls that made the entries in a violation's state: areas, maps, objects. Found in a second pass over the calls,
// for those few entries only.

import type { ObjectId } from '../../spec/abi/units.ts';
import { areaAt } from '../../spec/state/area.ts';
import { type Container, dmaAt } from '../../spec/state/container.ts';
import { type Context, ioasAt, objectAt } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import { openFile, type World } from '../../spec/state/world.ts';
import type { ContainerAround } from './container-state.ts';
import type { MapLine } from './iova-map.ts';
import type { IoasAround, StateAround } from './state.ts';

/** An entry to compare in every world; equal while it is unchanged. */
type Probe<Of> = {
  readonly look: (of: Of) => unknown;
  was: unknown;
  /** The call that last changed it. */
  since: string | undefined;
};

const probeOf = <Of>(look: Probe<Of>['look']): Probe<Of> => ({
  look,
  was: undefined,
  since: undefined,
});

const probeAt = <Of>(probes: Iterable<Probe<Of>>, of: Of, name: string): void => {
  for (const probe of probes) {
    const is = probe.look(of);
    if (is === probe.was) continue;
    probe.was = is;
    probe.since = name;
  }
};

const mapProbe = (start: bigint): Probe<Container> =>
  probeOf(({ type1 }) => {
    const node = dmaAt(type1?.dmas, start);
    return node?.key === start ? node.value.vaddr : undefined;
  });

/** The key of an area. */
const keyOf = (ioas: ObjectId, start: bigint): string => `${ioas} ${start}`;

export class OriginSeeker {
  readonly #file: FileId | undefined;
  readonly #areas = new Map<string, Probe<Context>>();
  readonly #objects = new Map<ObjectId, Probe<Context>>();
  /** Key: the container's file, and the first IOVA. */
  readonly #maps = new Map<FileId, Map<bigint, Probe<Container>>>();

  constructor({ iommufd, ioases, containers, objects }: StateAround) {
    this.#file = iommufd;
    for (const { id, map } of ioases) {
      for (const line of map) if (line.kind === 'area') this.#addArea(id, line.start);
    }
    for (const { file, map } of containers) {
      const maps = map.flatMap((line) =>
        line.kind === 'map' ? [[line.start, mapProbe(line.start)] as const] : [],
      );
      this.#maps.set(file, new Map(maps));
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

  /** Adds the world after a call, with the call's name: "line 15". */
  see(world: World, name: string): void {
    const file = this.#file === undefined ? undefined : openFile(world, this.#file);
    if (file?.kind === 'iommufd') {
      probeAt(this.#areas.values(), file.context, name);
      probeAt(this.#objects.values(), file.context, name);
    }
    for (const [id, maps] of this.#maps) {
      const container = openFile(world, id);
      if (container?.kind === 'container') probeAt(maps.values(), container.container, name);
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

  #container(container: ContainerAround): ContainerAround {
    const maps = this.#maps.get(container.file);
    return {
      ...container,
      map: container.map.map((line) => {
        const since = line.kind === 'map' ? maps?.get(line.start)?.since : undefined;
        return since === undefined ? line : { ...line, since };
      }),
    };
  }

  /** The state with the calls that made its entries. */
  reported(state: StateAround): StateAround {
    return {
      ...state,
      ioases: state.ioases.map((ioas) => this.#ioas(ioas)),
      containers: state.containers.map((container) => this.#container(container)),
      objects: state.objects.map((object) => {
        const since = this.#objects.get(object.id)?.since;
        return since === undefined ? object : { ...object, since };
      }),
    };
  }
}
