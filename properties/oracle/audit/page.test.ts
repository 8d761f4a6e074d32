// SPDX-License-Identifier: MIT
// The audit's page in a real browser: what it shows, filters and opens. Skipped without Chromium.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  AuditDocument,
  ShownRow,
  ShownVariant,
} from '../../../oracle/audit/pages/document.ts';
import { auditHtml } from '../../../oracle/audit/pages/html.ts';
import { auditMarkdown } from '../../../oracle/audit/pages/markdown.ts';
import { CHROMIUM, startChromium } from '../../harness/chromium.ts';

const test = suite('audit page');

const variant = (request: string): ShownVariant => ({
  key: `${request} | result`,
  request,
  what: 'result',
  legacy: { rule: 'type1/a', says: 'It <refuses> & says so.', source: 'a()', answers: '-1 EINVAL' },
  compat: { rule: 'compat/b', says: 'It grants.', source: 'b()', answers: '0' },
  scenario: 'a device',
  program: ['1  container1 = open("/dev/vfio/vfio")', '2  VFIO_IOMMU_UNMAP_DMA(container1)'],
  maps: [
    {
      name: 'type1 before',
      ranges: [{ start: 0x1000n, last: 0x1fffn, readable: true, writable: true }],
    },
    { name: 'type1 after', ranges: [] },
  ],
  count: 3,
  releases: ['6.12.95', '7.3.4'],
  confirmed: ['7.3.4'],
  isGenerated: false,
});

const row = (id: string, request: string, more: Partial<ShownRow>): ShownRow => ({
  id,
  title: `${id} differs`,
  severity: 'harmless',
  means: 'Nothing.',
  releases: ['7.3.4'],
  confirmed: ['7.3.4'],
  reproducer: `7.3.4/${id}.c`,
  reproduced: ['7.3.4'],
  variants: [variant(request)],
  ...more,
});

const DOCUMENT: AuditDocument = {
  release: '7.3.4',
  searched: [{ platform: 'a device', states: 2, requests: 10, undecided: 0 }],
  rows: [
    row('one', 'VFIO_IOMMU_MAP_DMA', { severity: 'breaks', declared: 'the patch' }),
    row('two', 'VFIO_IOMMU_UNMAP_DMA', { severity: 'differs' }),
    row('three', 'VFIO_IOMMU_UNMAP_DMA', {}),
  ],
};

test('the Markdown has a table line and a section for each row', () => {
  const text = auditMarkdown(DOCUMENT).join('\n');
  for (const { id, title } of DOCUMENT.rows) {
    assert.ok(text.includes(`(#${id})`), `${id} is not in the table`);
    assert.ok(text.includes(`### ${title}`), `${id} has no section`);
    assert.ok(text.includes(`[7.3.4/${id}.c](7.3.4/${id}.c)`), `${id} has no C file`);
  }
  assert.match(text, /3 rows; neither the patch nor a document declares 2 /);
  assert.match(text, /since 7\.3\.4/);
  assert.match(text, /in 6\.12\.95, 7\.3\.4/);
});

const inBrowser =
  CHROMIUM === undefined
    ? test.skip
    : (name: string, body: () => Promise<void>): void => test(name, body);

inBrowser('the page filters its rows, opens the row of a link, and shows its maps', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-page-'));
  const browser = await startChromium();
  try {
    const path = join(folder, 'audit.html');
    writeFileSync(path, auditHtml(DOCUMENT));
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${pathToFileURL(path).href}#two`);
    const visible = () => page.locator('details.row:not([hidden])').count();
    assert.is(await visible(), 3);
    assert.is(await page.locator('#two').getAttribute('open'), '');
    assert.ok(await page.locator('#two svg.map rect').first().isVisible());
    assert.match((await page.locator('#two').textContent()) ?? '', /It <refuses> & says so\./);
    assert.is(await page.locator('#two .reproducer a').getAttribute('href'), '7.3.4/two.c');
    await page.selectOption('select[name=request]', 'VFIO_IOMMU_UNMAP_DMA');
    assert.is(await visible(), 2);
    await page.selectOption('select[name=severity]', 'differs');
    assert.is(await visible(), 1);
    assert.is(await page.locator('#shown').textContent(), '1 of 3 rows');
    await page.selectOption('select[name=severity]', '');
    await page.selectOption('select[name=request]', '');
    await page.selectOption('select[name=declared]', 'yes');
    assert.is(await visible(), 1);
    assert.equal(errors, []);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
