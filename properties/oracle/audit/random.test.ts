// SPDX-License-Identifier: MIT
// Besides the search: differences that random programs show, and those of one container between two
// releases.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Operation, Program } from '../../../model/programs/program.ts';
import { actionsOn } from '../../../oracle/audit/actions.ts';
import { causesOf, type Differences } from '../../../oracle/audit/differences.ts';
import { boundsOf, startBetween, startOn } from '../../../oracle/audit/located.ts';
import { changesDocumentOf, changesMarkdown } from '../../../oracle/audit/pages/changes.ts';
import type { Pair } from '../../../oracle/audit/pair.ts';
import type { Scenario } from '../../../oracle/audit/platforms.ts';
import { onContainers, onReleases, randomSearch } from '../../../oracle/audit/random.ts';
import { recordedChanges } from '../../../oracle/audit/recorded.ts';
import { requestsOn } from '../../../oracle/audit/requests/all.ts';
import { isForPrograms, isOfContainer } from '../../../oracle/audit/run-audit.ts';
import { type Requests, search } from '../../../oracle/audit/search.ts';
import { VFIO_IOMMU_UNMAP_DMA } from '../../../spec/abi/vfio.ts';
import { type RuleId, ruleAt } from '../../../spec/rules.ts';
import { VTD } from './searched.ts';

const test = suite('audit at random');

const RUNS = 300;

/** The keys of the causes that the last operation shows. */
const causesAtEnd = (program: Program, pair: Pair, { prologue }: Scenario): readonly string[] => {
  const own = program.slice(prologue.length);
  for (const operation of own.slice(0, -1)) pair.add(operation);
  const last = own.at(-1);
  return last === undefined ? [] : causesOf(pair, last).map(({ key }) => key);
};

const generatedOn = (known: readonly string[]) =>
  randomSearch({ ...onContainers('7.3.4'), runs: RUNS, seed: 5, known: new Set(known) });

/** The results of one search without known causes. */
const generated = await generatedOn([]);

test('a seed finds the same causes with the same programs, and no known cause', async () => {
  const [one, other] = [generated, await generatedOn([])];
  assert.is(one.runs, RUNS);
  assert.is(one.undecided, 0);
  assert.ok(one.found.length > 60, `only ${one.found.length} causes`);
  assert.equal(
    one.found.map(({ key, program }) => ({ key, program })),
    other.found.map(({ key, program }) => ({ key, program })),
  );
  const keys = one.found.map(({ key }) => key);
  assert.equal((await generatedOn(keys)).found, []);
  assert.equal(
    (await generatedOn(keys.slice(1))).found.map(({ key }) => key),
    keys.slice(0, 1),
  );
});

test('a shrunk program still shows its cause, and needs each operation', () => {
  const { found } = generated;
  for (const { key, program, scenario } of found.slice(0, 20)) {
    const causes = (made: Program) => causesAtEnd(made, startOn('7.3.4', scenario), scenario);
    assert.ok(causes(program).includes(key), `${key} is not shown`);
    for (let index = scenario.prologue.length; index < program.length - 1; index += 1) {
      assert.not.ok(causes(program.toSpliced(index, 1)).includes(key), `${key} needs less`);
    }
  }
});

test('a cause that a test command shows, or an iommufd beside the container, is none of a program that actions', () => {
  const [one] = generated.found;
  if (one === undefined) throw new Error('Nothing was found.');
  const inRule = (id: RuleId) => ({ ...one, legacyRule: ruleAt(id) });
  assert.ok(isForPrograms(one));
  assert.not.ok(isForPrograms(inRule('test-md-check-refs/differs')));
  assert.not.ok(isForPrograms({ ...one, request: 'IOMMU_TEST_CMD' }));
  assert.ok(isOfContainer(one));
  assert.not.ok(isOfContainer(inRule('hwpt-alloc/no-device')));
});

const isUnmap = (operation: Operation): boolean =>
  operation.op === 'ioctl' && operation.command === VFIO_IOMMU_UNMAP_DMA;

/** The requests that the difference is about. */
const unmaps: Requests = function* unmaps(open, descriptorOf) {
  for (const request of requestsOn(VTD)(open, descriptorOf)) if (isUnmap(request)) yield request;
};

test('between 6.12 and 7.3 a length that wraps gets another error, on the legacy container only', async () => {
  const changed = new Map<string, readonly string[]>();
  for (const side of ['legacy', 'compat'] as const) {
    const differences: Differences = new Map();
    const start = startBetween('6.12.95', '7.3.4', VTD, side);
    const bounds = { ...boundsOf(VTD), actions: 4 };
    await search({
      start,
      actions: actionsOn(VTD),
      requests: unmaps,
      bounds,
      differences,
      watch: async () => true,
    });
    changed.set(
      side,
      [...differences.values()].map(({ request, kind }) =>
        [request, kind.legacy, kind.compat].join(' '),
      ),
    );
  }
  const wraps = 'VFIO_IOMMU_UNMAP_DMA -1 EINVAL -1 EOVERFLOW';
  assert.ok(changed.get('legacy')?.includes(wraps));
  assert.not.ok(changed.get('compat')?.includes(wraps));
});

test('changes are reported with the rules of both releases', async () => {
  const generated = await randomSearch({
    ...onReleases('6.12.95', '7.3.4'),
    runs: RUNS,
    seed: 5,
    known: new Set(),
  });
  assert.ok(generated.found.length > 0);
  const changes = recordedChanges({ earlier: '6.12.95', later: '7.3.4' }, [
    { side: 'compat', searched: [], generated: { ...generated, seed: 5 }, found: generated.found },
  ]);
  const text = changesMarkdown(changesDocumentOf(changes)).join('\n');
  for (const { legacyRule, compatRule } of generated.found) {
    assert.ok(text.includes(legacyRule.says) && text.includes(compatRule.source));
  }
});

test.run();
