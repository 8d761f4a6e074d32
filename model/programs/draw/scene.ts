// What a drawn operation may refer to: the descriptors and objects that the draft's world holds, as values that still
// mean the same when other operations are taken away.

import { each, nodesOf } from '../../../spec/collections/ordered-map.ts';
import type { Context, IommufdObject } from '../../../spec/iommufd/context.ts';
import type { IoPagetable } from '../../../spec/iopt/io-pagetable.ts';
import type { Platform } from '../../../spec/platform.ts';
import type { ReleaseName } from '../../../spec/releases.ts';
import {
  type AccessFile,
  descriptorsOf,
  type GroupFile,
  type OpenFile,
  openFile,
} from '../../../spec/world.ts';
import type { Draft } from '../draft.ts';
import type { Argument, Label, Operation, Value } from '../program.ts';
import { PROCESS } from '../run.ts';
import { type Dice, drawStructPlace } from '../values.ts';

export type Descriptor = { readonly fd: number; readonly value: Value; readonly file: OpenFile };

export type IommufdDescriptor = Descriptor & { readonly context: Context };

export type GroupDescriptor = Descriptor & { readonly file: GroupFile };

export type AccessDescriptor = Descriptor & { readonly file: AccessFile };

export type Counts = Readonly<Record<IommufdObject['kind'], number>>;

/** Something that an operation gave, and the number it is. */
type Given = { readonly label: Label; readonly out: string; readonly value: bigint };

const OUTPUTS = [
  'result',
  'out_ioas_id',
  'out_hwpt_id',
  'out_stdev_id',
  'out_idev_id',
  'out_access_fd',
  'out_access_pages_id',
] as const;

export class Scene {
  readonly #dice: Dice | undefined;
  readonly draft: Draft;
  readonly platform: Platform;
  readonly release: ReleaseName;
  readonly #given: Given[] = [];
  #descriptors: readonly Descriptor[] | undefined;

  /** Without dice nothing can be drawn, and what there is can be named all the same. */
  constructor(dice: Dice | undefined, draft: Draft) {
    this.#dice = dice;
    this.draft = draft;
    this.platform = draft.world.setting.platform;
    this.release = draft.world.setting.release;
  }

  get dice(): Dice {
    if (this.#dice === undefined) throw new Error('Nothing can be drawn without dice.');
    return this.#dice;
  }

  /** Adds an operation, and remembers what it is expected to give. */
  add(operation: Operation): void {
    this.#descriptors = undefined;
    if (this.draft.add(operation)) this.#remember(operation.label);
  }

  /** Remembers what the operations gave that the draft has already. */
  remember(): void {
    for (const { label } of this.draft.operations) this.#remember(label);
  }

  #remember(label: Label): void {
    for (const out of OUTPUTS) {
      const value = this.draft.output(label, out);
      if (value !== 0n) this.#given.push({ label, out, value });
    }
  }

  /** A number as what an operation gave, where one did; the latest that gave it. */
  #named(number: number, outputs: readonly string[]): Value {
    for (let index = this.#given.length - 1; index >= 0; index -= 1) {
      const { label, out, value } = this.#given[index] as Given;
      if (value === BigInt(number) && outputs.includes(out)) return { from: label, out };
    }
    return BigInt(number);
  }

  /** Every descriptor that is open. */
  descriptors(): readonly Descriptor[] {
    if (this.#descriptors === undefined) {
      const found: Descriptor[] = [];
      each(descriptorsOf(this.draft.world, PROCESS), (fd, id) => {
        const file = openFile(this.draft.world, id);
        if (file === undefined) return;
        found.push({ fd, value: this.#named(fd, ['result', 'out_access_fd']), file });
      });
      this.#descriptors = found;
    }
    return this.#descriptors;
  }

  descriptorsOf<Kind extends OpenFile['kind']>(
    kind: Kind,
  ): readonly (Descriptor & { readonly file: Extract<OpenFile, { kind: Kind }> })[] {
    return this.descriptors().filter(
      (descriptor): descriptor is Descriptor & { file: Extract<OpenFile, { kind: Kind }> } =>
        descriptor.file.kind === kind,
    );
  }

  iommufds(): readonly IommufdDescriptor[] {
    return this.descriptorsOf('iommufd').map((descriptor) => ({
      ...descriptor,
      context: descriptor.file.context,
    }));
  }

  /** How many objects of each kind there are. */
  counts(context: Context): Counts {
    const counts = { ioas: 0, hwpt: 0, device: 0, selftest: 0, access: 0, unspecified: 0 };
    each(context.objects, (_, { kind }) => {
      counts[kind] += 1;
    });
    return counts;
  }

  objectIds(context: Context, kind: IommufdObject['kind']): readonly number[] {
    const ids: number[] = [];
    each(context.objects, (id, object) => {
      if (object.kind === kind) ids.push(id);
    });
    return ids;
  }

  /** An object's id: mostly of an object of that kind, sometimes of another, or of none. */
  object(context: Context, kind: IommufdObject['kind']): Value {
    const { dice } = this;
    const ids = this.objectIds(context, kind);
    if (ids.length > 0 && !dice.chance(1, 25)) return this.#named(dice.of(ids), OUTPUTS);
    const all = [...nodesOf(context.objects)].map(({ key }) => key);
    if (all.length > 0 && dice.chance(2, 3)) return this.#named(dice.of(all), OUTPUTS);
    return BigInt(dice.of([0, 1, 2, 3, 5, 9, 0x7fff_ffff, 0xffff_ffff]));
  }

  /** The table of the IOAS that a value names. */
  table(context: Context, ioas: Value): IoPagetable | undefined {
    const id = Number(this.draft.valueOf(ioas));
    for (const { key, value } of nodesOf(context.objects)) {
      if (key === id && value.kind === 'ioas') return value.table;
    }
    return undefined;
  }

  /** An ioctl with a struct, mostly as it should be. */
  call(
    stem: string,
    fd: Value,
    command: number,
    layout: string,
    size: number,
    fields: Readonly<Record<string, Value>>,
    also?: Extract<Argument, { kind: 'struct' }>['also'],
  ): void {
    const argument: Argument = {
      kind: 'struct',
      at: drawStructPlace(this.dice, size),
      layout,
      fields,
      ...(also === undefined ? {} : { also }),
    };
    this.add({ op: 'ioctl', label: this.draft.label(stem), fd, command, argument });
  }

  /** An ioctl whose argument is a number. */
  plain(stem: string, fd: Value, command: number, value: Value): void {
    const argument: Argument = { kind: 'plain', value };
    this.add({ op: 'ioctl', label: this.draft.label(stem), fd, command, argument });
  }
}
