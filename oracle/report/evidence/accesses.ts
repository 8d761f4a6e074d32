// SPDX-License-Identifier: MIT
// Conditions of the rules of accesses, and of the calls that check their pins.

import {
  ACCESS_LENGTH_MAX,
  MOCK_FLAGS_ACCESS_SYZ,
  TEST_OPERATIONS,
  type TestOperationName,
} from '../../../spec/abi/test.ts';
import { fileDescriptor, U64_MAX } from '../../../spec/abi/units.ts';
import { permits, slicesOf } from '../../../spec/iopt/access.ts';
import { byteOf } from '../../../spec/state/area.ts';
import { accessAt, pagesAt, tableOf } from '../../../spec/state/context.ts';
import { fileAt, openFile } from '../../../spec/state/world.ts';
import { count, hex, length, range, size } from '../../text/quantities.ts';
import {
  type Condition,
  type Conditions,
  type Facts,
  flagsWithin,
  isNo,
  isZero,
  lessThan,
  onlyIf,
  passed,
} from './condition.ts';
import { rangeOf } from './mapping.ts';

const writes = (facts: Facts): boolean => (passed(facts, 'flags') & 1n) !== 0n;

const noAccess: Condition = (facts) => {
  const fd = fileDescriptor(Number(passed(facts, 'id')) | 0);
  const id = fileAt(facts.world, facts.call.process, fd);
  const file = id === undefined ? undefined : openFile(facts.world, id);
  const what =
    file === undefined
      ? 'not open'
      : `that of ${file.kind === 'access' ? 'an access' : `a file of kind ${file.kind}`}`;
  return { holds: file?.kind !== 'access', fact: `descriptor ${fd} is ${what}` };
};

const accessOf = ({ context, objects }: Facts) => {
  const [id] = objects;
  return context === undefined || id === undefined ? undefined : accessAt(context, id);
};

const detached: Condition = (facts) => {
  const access = accessOf(facts);
  if (access === undefined) return undefined;
  return {
    holds: access.ioas === undefined,
    fact: access.ioas === undefined ? 'it is attached to nothing' : `it is on IOAS ${access.ioas}`,
  };
};

const slices = (facts: Facts) => {
  const span = rangeOf(facts);
  if (span === undefined || facts.context === undefined || facts.span === undefined) return [];
  return [...slicesOf(tableOf(facts.context, facts.span.ioas).areas, span.start, span.last)];
};

const notMapped: Condition = (facts) => {
  const span = rangeOf(facts);
  if (span === undefined || facts.span === undefined) return undefined;
  const reached = slices(facts).at(-1)?.last;
  if (reached === span.last) {
    return { holds: false, fact: `all of ${range(span.start, span.last)} is mapped` };
  }
  const at = reached === undefined ? span.start : reached + 1n;
  return { holds: true, fact: `nothing is mapped at ${hex(at)}` };
};

const notPermitted: Condition = (facts) => {
  const found = slices(facts).find(({ node }) => !permits(node, writes(facts)));
  const doing = writes(facts) ? 'written' : 'read';
  return found === undefined
    ? { holds: false, fact: `every area of the range may be ${doing}` }
    : {
        holds: true,
        fact: `the area ${range(found.node.key, found.node.value.last)} may not be ${doing}`,
      };
};

const readOnlyPages: Condition = (facts) => {
  if (!writes(facts)) return { holds: false, fact: 'the access only reads' };
  const { context } = facts;
  if (context === undefined) return undefined;
  const found = slices(facts).find(({ node }) => !pagesAt(context, node.value.pages).writable);
  return found === undefined
    ? { holds: false, fact: 'the memory was first mapped writable' }
    : { holds: true, fact: `the memory at ${hex(found.iova)} was first mapped without WRITEABLE` };
};

const notPageAligned: Condition = (facts) => {
  if (facts.shape.name !== 'IOMMU_TEST_CMD ACCESS_PAGES') {
    return { holds: false, fact: 'nothing is pinned for good' };
  }
  const span = rangeOf(facts);
  if (span === undefined) return undefined;
  const found = slices(facts).find(({ node, iova }) => byteOf(node, iova) % 4096n !== 0n);
  return found === undefined
    ? { holds: undefined, fact: 'every part starts at the start of a page of its memory' }
    : {
        holds: true,
        fact: `${hex(found.iova)} lies ${size(byteOf(found.node, found.iova) % 4096n)} into its page`,
      };
};

const tooLong: Condition = (facts) => ({
  holds: passed(facts, 'length') > ACCESS_LENGTH_MAX,
  fact: `length is ${length(passed(facts, 'length'))}`,
});

const accessWraps: Condition = ({ span }) =>
  span === undefined || span.length === 0n
    ? undefined
    : {
        holds: span.start + span.length - 1n > U64_MAX,
        fact: `the last IOVA is ${hex(span.start + span.length - 1n)}`,
      };

const cannotPin: Condition = (facts) => {
  const access = accessOf(facts);
  return access === undefined
    ? undefined
    : {
        holds: !access.needsPins,
        fact: `it was made ${access.needsPins ? 'with' : 'without'} NEEDS_PIN_PAGES`,
      };
};

const noPin: Condition = (facts) => {
  const access = accessOf(facts);
  if (access === undefined) return undefined;
  const number = Number(passed(facts, 'access_pages_id'));
  const has = access.pins.some(({ id }) => id === number);
  return {
    holds: !has,
    fact: `the access has ${count(access.pins.length, 'pin')}${has ? `, number ${number} among them` : ''}`,
  };
};

/** With SYZ, the IOVA is the number of an area and an offset: there is no evidence then. */
const byIova =
  (condition: Condition): Condition =>
  (facts) =>
    (Number(passed(facts, 'flags')) & MOCK_FLAGS_ACCESS_SYZ) === 0 ? condition(facts) : undefined;

const OPERATIONS = new Map(TEST_OPERATIONS.map(({ op, name }) => [op, name]));

const unknownOperation: Condition = (facts) => {
  const op = Number(passed(facts, 'op'));
  const name = OPERATIONS.get(op);
  const { release } = facts.world;
  const absent = name === undefined || release.absentTestOperations.has(name);
  return {
    holds: absent,
    fact: `operation ${op} is ${name ?? 'none'}, which ${release.name} ${absent ? 'does not have' : 'has'}`,
  };
};

/** Rules of IOMMU_TEST_CMD itself that belong to one operation. */
const only = (name: TestOperationName, condition: Condition): Condition =>
  onlyIf(
    (facts) => OPERATIONS.get(Number(passed(facts, 'op'))) === name,
    `the operation is not ${name}`,
    condition,
  );

const unknownly: Condition = ({ shape }) => ({ holds: undefined, fact: `it is ${shape.name}` });

export const accessConditions: Conditions = {
  'test-access-descriptor/not-an-access': noAccess,
  'test-cmd/unknown-operation': unknownOperation,
  'test-cmd/limit-too-small': only('SET_TEMP_MEMORY_LIMIT', lessThan('limit', 12n)),
  'test-cmd/no-device': only('DEV_CHECK_CACHE', isNo('id', 'device')),
  'test-cmd/cache-differs': only('DEV_CHECK_CACHE', unknownly),
  'test-access-pages/too-long': tooLong,
  'test-access-pages/unknown-flags': flagsWithin('flags', 0x1_0001),
  'test-access-pages/cannot-pin': cannotPin,
  'test-destroy-access-pages/no-pin': noPin,
  'test-access-rw/too-long': tooLong,
  'test-access-rw/unknown-flags': flagsWithin('flags', 0x1_0005),
  'accesses/zero-length': isZero('length'),
  'accesses/wraps': byIova(accessWraps),
  'accesses/detached': detached,
  'accesses/misaligned': byIova(notPageAligned),
  'accesses/not-permitted': byIova(notPermitted),
  'accesses/read-only-pages': byIova(readOnlyPages),
  'accesses/not-mapped': byIova(notMapped),
};
