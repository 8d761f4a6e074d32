// Beside the search: what programs drawn at random show, and what one container shows in two releases.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program } from '../../../model/programs/program.ts';
import { causesOf, type Differences } from '../../../oracle/audit/differences.ts';
import { boundsOf, startBetween, startOn } from '../../../oracle/audit/located.ts';
import { changesDocumentOf, changesMarkdown } from '../../../oracle/audit/pages/changes.ts';
import { GROUNDS, type Ground } from '../../../oracle/audit/platforms.ts';
import { onContainers, onReleases, randomSearch } from '../../../oracle/audit/random.ts';
import { recordedChanges } from '../../../oracle/audit/recorded.ts';
import { requestsOn } from '../../../oracle/audit/requests/all.ts';
import { isForPrograms, isOfContainer } from '../../../oracle/audit/run-audit.ts';
import { search } from '../../../oracle/audit/search.ts';
import { movesOn } from '../../../oracle/audit/structure.ts';
import type { Twin } from '../../../oracle/audit/twin.ts';
import { type RuleId, ruleAt } from '../../../spec/rules.ts';

const test = suite('audit at random');

const RUNS = 300;

/** The keys of the causes that the last operation shows. */
const causesAtEnd = (program: Program, twin: Twin, { prologue }: Ground): readonly string[] => {
  const own = program.slice(prologue.length);
  for (const operation of own.slice(0, -1)) twin.add(operation);
  const last = own.at(-1);
  return last === undefined ? [] : causesOf(twin, last).map(({ key }) => key);
};

const drawnOn = (known: readonly string[], seed = 5) =>
  randomSearch({ ...onContainers('7.3.4'), runs: RUNS, seed, known: new Set(known) });

test('a seed finds the same causes by the same programs, and no known one', async () => {
  const [one, other] = [await drawnOn([]), await drawnOn([])];
  assert.is(one.runs, RUNS);
  assert.is(one.undecided, 0);
  assert.ok(one.found.length > 60, `only ${one.found.length} causes`);
  assert.equal(
    one.found.map(({ key, program }) => ({ key, program })),
    other.found.map(({ key, program }) => ({ key, program })),
  );
  const keys = one.found.map(({ key }) => key);
  assert.equal((await drawnOn(keys)).found, []);
  assert.equal(
    (await drawnOn(keys.slice(1))).found.map(({ key }) => key),
    keys.slice(0, 1),
  );
});

test('a program that was made shorter still shows its cause, and needs each operation', async () => {
  const { found } = await drawnOn([]);
  for (const { key, program, ground } of found.slice(0, 20)) {
    const causes = (made: Program) => causesAtEnd(made, startOn('7.3.4', ground), ground);
    assert.ok(causes(program).includes(key), `${key} is not shown`);
    for (let index = ground.prologue.length; index < program.length - 1; index += 1) {
      assert.not.ok(causes(program.toSpliced(index, 1)).includes(key), `${key} needs less`);
    }
  }
});

test('a cause that a test command shows, or an iommufd beside the container, is none of a program that moves', async () => {
  const [one] = (await drawnOn([])).found;
  if (one === undefined) throw new Error('Nothing was found.');
  const inRule = (id: RuleId) => ({ ...one, legacyRule: ruleAt(id) });
  assert.ok(isForPrograms(one));
  assert.not.ok(isForPrograms(inRule('test-md-check-refs/differs')));
  assert.not.ok(isForPrograms({ ...one, request: 'IOMMU_TEST_CMD' }));
  assert.ok(isOfContainer(one));
  assert.not.ok(isOfContainer(inRule('hwpt-alloc/no-device')));
});

test('from 6.12 to 7.3 a length that wraps has another error, on the legacy container alone', async () => {
  const ground = GROUNDS.find(({ name }) => name === 'a device behind VT-d');
  if (ground === undefined) throw new Error('There is no such ground.');
  const changed = new Map<string, readonly string[]>();
  for (const side of ['legacy', 'compat'] as const) {
    const differences: Differences = new Map();
    const start = startBetween('6.12.95', '7.3.4', ground, side);
    const bounds = { ...boundsOf(ground), moves: 4 };
    const requests = requestsOn(ground);
    await search(start, movesOn(ground), requests, bounds, differences, async () => true);
    changed.set(
      side,
      [...differences.values()].map(({ request, facet }) =>
        [request, facet.legacy, facet.compat].join(' '),
      ),
    );
  }
  const wraps = 'VFIO_IOMMU_UNMAP_DMA -1 EINVAL -1 EOVERFLOW';
  assert.ok(changed.get('legacy')?.includes(wraps));
  assert.not.ok(changed.get('compat')?.includes(wraps));
});

test('changes are told with the rules of both releases', async () => {
  const drawn = await randomSearch({
    ...onReleases('6.12.95', '7.3.4'),
    runs: RUNS,
    seed: 5,
    known: new Set(),
  });
  assert.ok(drawn.found.length > 0);
  const changes = recordedChanges({ earlier: '6.12.95', later: '7.3.4' }, [
    { side: 'compat', searched: [], drawn: { ...drawn, seed: 5 }, found: drawn.found },
  ]);
  const text = changesMarkdown(changesDocumentOf(changes)).join('\n');
  for (const { legacyRule, compatRule } of drawn.found) {
    assert.ok(text.includes(legacyRule.says) && text.includes(compatRule.source));
  }
});

test.run();
