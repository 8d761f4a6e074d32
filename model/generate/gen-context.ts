// SPDX-License-Identifier: MIT
// What a generated operation may refer to: descriptors and objects of the builder's world, as
// handles that stay valid when other operations are removed.

import { fileDescriptor, type ObjectId } from '../../spec/abi/units.ts';
import { VFIO_GROUP_GET_DEVICE_FD } from '../../spec/abi/vfio.ts';
import { each, nodesOf } from '../../spec/collections/ordered-map.ts';
import { mappingAt } from '../../spec/state/address-space.ts';
import { type Context, type IommufdObject, ioasAt } from '../../spec/state/context.ts';
import type { FileId } from '../../spec/state/files.ts';
import type { IoPagetable } from '../../spec/state/io-pagetable.ts';
import { spaceOf } from '../../spec/state/memory.ts';
import {
  type AccessFile,
  boundDeviceOf,
  type CdevFile,
  type ContainerFile,
  contextOf,
  descriptorsOf,
  fileAt,
  type GroupFile,
  type OpenFile,
  openFile,
  type World,
} from '../../spec/state/world.ts';
import type { Platform } from '../../spec/terms/platform.ts';
import type { Release } from '../../spec/terms/releases.ts';
import { ARENA_BASE, HUGE_OFFSET, HUGE_PAGE } from '../programs/arena.ts';
import type { ProgramBuilder } from '../programs/builder.ts';
import {
  type Argument,
  LAYOUTS,
  type Label,
  type Operation,
  type Value,
} from '../programs/program.ts';
import { PROCESS } from '../programs/run.ts';
import { isFarMap } from './end-maps.ts';
import { type Source, withInvalidField } from './invalid-field.ts';
import type { Paths } from './paths.ts';
import type { ProfileOf } from './profile.ts';
import type { Rng } from './rng.ts';
import { generateStructAddress } from './values.ts';

export type Descriptor = { readonly fd: number; readonly value: Value; readonly file: OpenFile };

export type IommufdDescriptor = Descriptor & { readonly context: Context };

export type ContainerDescriptor = Descriptor & { readonly file: ContainerFile };

export type GroupDescriptor = Descriptor & { readonly file: GroupFile };

export type CdevDescriptor = Descriptor & { readonly file: CdevFile };

export type AccessDescriptor = Descriptor & { readonly file: AccessFile };

/** An ioctl and its struct; `size` in bytes. */
export type StructIoctl = {
  readonly command: number;
  readonly layout: string;
  readonly size: number;
};

export type Counts = Readonly<Record<IommufdObject['kind'], number>>;

/**
 * Something that an operation returned, with its number; `on` is the iommufd that has the object.
 */
type Given = {
  readonly label: Label;
  readonly out: string;
  readonly value: bigint;
  readonly on: FileId | undefined;
};

const OBJECT_IDS = [
  'out_ioas_id',
  'out_hwpt_id',
  'out_stdev_id',
  'out_idev_id',
  'out_devid',
  'pt_id',
] as const;

const OUTPUTS: readonly string[] = [...OBJECT_IDS, 'out_access_fd', 'out_access_pages_id'];

/** The one call that returns pt_id; in the others pt_id is what the program passed. */
const RETURNS_PT_ID = 'VFIO_DEVICE_ATTACH_IOMMUFD_PT';

/** The fields of each struct that are handles after the call. */
const OUTPUTS_OF: ReadonlyMap<string, readonly string[]> = new Map(
  [...LAYOUTS].map(([name, { table }]) => [
    name,
    OUTPUTS.filter((out) => out in table && (out !== 'pt_id' || name === RETURNS_PT_ID)),
  ]),
);

const opensDescriptor = (operation: Operation): boolean =>
  operation.op === 'open' ||
  operation.op === 'memfd' ||
  (operation.op === 'ioctl' && operation.command === VFIO_GROUP_GET_DEVICE_FD);

/** The handles that an operation returns. The results of most calls are not handles. */
const outputsOf = (operation: Operation): readonly string[] => {
  if (opensDescriptor(operation)) return ['result'];
  if (operation.op !== 'ioctl' || operation.argument.kind !== 'struct') return [];
  return OUTPUTS_OF.get(operation.argument.layout) ?? [];
};

export type Profile = ProfileOf<GenContext>;

/** What generation needs besides the program so far. */
export type RandomParts = {
  readonly rng: Rng;
  /** The files through which the program calls VFIO. */
  readonly paths: Paths;
  /** Whether transfers by devices may be generated. */
  readonly makesTransfers: boolean;
  readonly chooseProfile: (gen: GenContext) => Profile;
};

export class GenContext {
  readonly builder: ProgramBuilder;
  /** The files through which the program calls VFIO. */
  readonly paths: Paths;
  readonly platform: Platform;
  readonly release: Release;
  readonly #given: Given[] = [];
  #descriptors: readonly Descriptor[] | undefined;
  #profile: Profile | undefined;
  #invalid = false;

  /** Whether transfers by devices may be generated. */
  readonly makesTransfers: boolean;
  readonly #random: RandomParts | undefined;

  /** Without a random source nothing can be generated, but handles can be found. */
  constructor(builder: ProgramBuilder, random?: RandomParts) {
    this.builder = builder;
    this.#random = random;
    this.paths = random?.paths ?? 'iommufd';
    this.makesTransfers = random?.makesTransfers ?? false;
    this.platform = builder.world.setting.platform;
    this.release = builder.world.release;
  }

  /** Chosen on first use; from then on values are generated with its care. */
  get profile(): Profile {
    if (this.#profile === undefined) {
      this.#profile = this.#parts.chooseProfile(this);
      this.rng.care = this.#profile.care;
    }
    return this.#profile;
  }

  get rng(): Rng {
    return this.#parts.rng;
  }

  get #parts(): RandomParts {
    if (this.#random === undefined) {
      throw new Error('This context has no random source; most likely it was made for probes.');
    }
    return this.#random;
  }

  /** Adds an operation, and records the handles that it is expected to return. */
  add(operation: Operation): void {
    const added = this.#invalid ? withInvalidField(this.#source, operation) : operation;
    if (isFarMap(this.builder, added)) return;
    this.#descriptors = undefined;
    if (this.builder.add(added)) this.#remember(added);
  }

  get #source(): Source {
    const { rng, builder } = this;
    return { rng, builder, descriptors: () => this.descriptors() };
  }

  /** Gives each operation that `generate` adds one invalid field. */
  withInvalidFields(generate: () => void): void {
    this.#invalid = true;
    generate();
    this.#invalid = false;
  }

  /** Removes the operations from index `count`; `world` is the one before it. */
  backTo(count: number, world: World): void {
    const gone = new Set(this.builder.operations.slice(count).map(({ label }) => label));
    this.builder.backTo(count, world);
    this.#descriptors = undefined;
    while (gone.has(this.#given.at(-1)?.label ?? '')) this.#given.pop();
  }

  /** Records the handles of the operations that the builder already has. */
  remember(): void {
    for (const operation of this.builder.operations) this.#remember(operation);
  }

  #remember(operation: Operation): void {
    const outputs = outputsOf(operation);
    if (outputs.length === 0) return;
    const { label } = operation;
    const on = operation.op === 'ioctl' ? this.#iommufdOf(operation.fd) : undefined;
    for (const out of outputs) {
      const value = this.builder.output(label, out);
      if (value !== 0n) this.#given.push({ label, out, value, on });
    }
  }

  /** The iommufd whose objects a call on the descriptor refers to. */
  #iommufdOf(fd: Value): FileId | undefined {
    const number = fileDescriptor(Number(BigInt.asIntN(32, this.builder.valueOf(fd))));
    const id = fileAt(this.builder.world, PROCESS, number);
    const file = id === undefined ? undefined : openFile(this.builder.world, id);
    return file?.kind === 'cdev' ? boundDeviceOf(this.builder.world, file.name)?.iommufd : id;
  }

  /** A number as the latest handle with that value, if any. Objects are those of one iommufd. */
  #named(number: number, outputs: readonly string[], on?: FileId): Value {
    for (let index = this.#given.length - 1; index >= 0; index -= 1) {
      const { label, out, value, on: file } = this.#given[index] as Given;
      if (on !== undefined && file !== on) continue;
      if (value === BigInt(number) && outputs.includes(out)) return { from: label, out };
    }
    return BigInt(number);
  }

  /** All open descriptors. */
  descriptors(): readonly Descriptor[] {
    if (this.#descriptors === undefined) {
      const found: Descriptor[] = [];
      each(descriptorsOf(this.builder.world, PROCESS), (fd, id) => {
        const file = openFile(this.builder.world, id);
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
    return this.descriptorsOf('iommufd').map(({ fd, value, file }) => ({
      fd,
      value,
      file,
      context: file.context,
    }));
  }

  /** The iommufd that the device is bound to through that file. */
  contextOfDevice({ bound, name }: CdevFile): Context | undefined {
    const open = bound ? boundDeviceOf(this.builder.world, name) : undefined;
    return open === undefined ? undefined : contextOf(this.builder.world, open.iommufd);
  }

  /** Whether the program has mapped huge pages. */
  hasHugePages(): boolean {
    const space = spaceOf(this.builder.world.memory, PROCESS);
    return [0n, HUGE_PAGE].some(
      (offset) => mappingAt(space, ARENA_BASE + HUGE_OFFSET + offset)?.mapping.huge,
    );
  }

  /** Legacy containers. */
  containers(): readonly ContainerDescriptor[] {
    return this.descriptorsOf('container');
  }

  /** Whether a group's calls go to a legacy container. */
  isInLegacyContainer({ container }: GroupFile): boolean {
    return container !== undefined && openFile(this.builder.world, container)?.kind === 'container';
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

  /** An object's id as a handle, so that it stays valid when other operations are removed. */
  named(context: Context, id: number): Value {
    return this.#named(id, OBJECT_IDS, context.file);
  }

  /** An object's id: mostly of an object of that kind, sometimes of another kind, or of none. */
  object(context: Context, kind: IommufdObject['kind']): Value {
    const { rng } = this;
    const ids = this.objectIds(context, kind);
    if (ids.length > 0 && (rng.careful() || !rng.chance(1, 25)))
      return this.named(context, rng.of(ids));
    const all = [...nodesOf(context.objects)].map(({ key }) => key);
    if (all.length > 0 && rng.chance(2, 3)) return this.named(context, rng.of(all));
    return BigInt(rng.of([0, 1, 2, 3, 5, 9, 0x7fff_ffff, 0xffff_ffff]));
  }

  /** The table of the IOAS that a value refers to. */
  table(context: Context, ioas: Value): IoPagetable | undefined {
    return ioasAt(context, Number(this.builder.valueOf(ioas)) as ObjectId)?.table;
  }

  /** Adds an ioctl with a struct, mostly at a valid address. */
  call(
    stem: string,
    fd: Value,
    { command, layout, size }: StructIoctl,
    fields: Readonly<Record<string, Value>>,
    also?: Extract<Argument, { kind: 'struct' }>['also'],
  ): void {
    const at = generateStructAddress(this.rng, size);
    const argument: Argument =
      also === undefined
        ? { kind: 'struct', at, layout, fields }
        : { kind: 'struct', at, layout, fields, also };
    this.add({ op: 'ioctl', label: this.builder.label(stem), fd, command, argument });
  }

  /** An ioctl whose argument is a number. */
  plain(stem: string, fd: Value, command: number, value: Value): void {
    const argument: Argument = { kind: 'plain', value };
    this.add({ op: 'ioctl', label: this.builder.label(stem), fd, command, argument });
  }
}
