// SPDX-License-Identifier: MIT
// The package that npm packs: what is in it, that its entries do nothing when they are imported, that they are for
// browsers too, and that the examples of docs/library.md compile and print what the page says.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeText } from '../../oracle/judge/judge-text.ts';
import { CHROMIUM, startChromium } from '../harness/chromium.ts';
import { FIXTURES } from '../harness/recordings.ts';
import { binary, installedProject, type Project, run } from './packed.ts';

/** Each entry with the packages that it may load. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'iommufd-spec': ['ts-pattern'],
  'iommufd-spec/emulator': [],
  'iommufd-spec/generate': ['fast-check', 'pure-rand', 'ts-pattern'],
  'iommufd-spec/judge': ['leven', 'ts-pattern', 'valibot'],
};

const test = suite('library');

let project: Project;
test.before(() => {
  project = installedProject();
});
test.after(() => project.remove());

const WHOLE = ['LICENSE', 'README.md', 'docs/library.md', 'package.json'];
const CODE =
  /^dist\/(spec|model|oracle)\/.*\.(js|d\.ts)$|^oracle\/kernel-build\/config\/.*\.config$/;

test('the package has the code of its entries and of the command line, and no tests', () => {
  const { files } = project;
  for (const file of [...WHOLE, 'dist/spec/index.d.ts', 'dist/oracle/cli/main.js']) {
    assert.ok(files.includes(file), `${file} is missing`);
  }
  assert.equal(
    files.filter((file) => !CODE.test(file) && !WHOLE.includes(file)),
    [],
  );
});

const QUIET = `
const state = () => JSON.stringify([
  Object.getOwnPropertyNames(globalThis).sort(),
  process.eventNames().map(String).sort(),
  process.getActiveResourcesInfo(),
  process.exitCode,
]);
const changed = [];
for (const entry of process.argv.slice(2)) {
  const before = state();
  await import(entry);
  if (state() !== before) changed.push(entry);
}
process.exitCode = changed.length;
`;

test('importing an entry prints nothing, and leaves no handle, listener or global', () => {
  project.write('quiet.js', QUIET);
  assert.is(project.node('quiet.js', ...Object.keys(ENTRIES)), '');
});

type Metafile = { readonly outputs: Readonly<Record<string, Output>> };
type Output = {
  readonly entryPoint?: string;
  readonly imports: readonly unknown[];
  readonly inputs: Readonly<Record<string, unknown>>;
};

/** Bundles files of the project for a browser, each into bundled/. Fails where one imports a module of Node.js. */
const bundle = (...names: readonly string[]): readonly Output[] => {
  const options = ['--bundle', '--platform=browser', '--outdir=bundled', '--metafile=meta.json'];
  run(
    binary('esbuild', 'bin/esbuild'),
    [...names, ...options, '--log-level=warning'],
    project.folder,
  );
  const meta = readFileSync(join(project.folder, 'meta.json'), 'utf8');
  return Object.values((JSON.parse(meta) as Metafile).outputs);
};

const packageOf = (input: string): string | undefined =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input)?.[1];

test('a bundler takes each entry for browsers, with no packages but those it needs', () => {
  const names = Object.keys(ENTRIES).map((entry, index) => {
    project.write(`entry${index}.js`, `export * from '${entry}';\n`);
    return `entry${index}.js`;
  });
  for (const { entryPoint = '', imports, inputs } of bundle(...names)) {
    const [entry = '', needed = []] = Object.entries(ENTRIES)[names.indexOf(entryPoint)] ?? [];
    const packages = new Set(Object.keys(inputs).map(packageOf));
    packages.delete(undefined);
    assert.equal([...packages].sort(), ['iommufd-spec', ...needed].sort(), entry);
    assert.equal(imports, [], entry);
  }
});

test('a bundle without what it exports is empty: nothing runs at import', () => {
  project.write(
    'unused.js',
    Object.keys(ENTRIES)
      .map((entry) => `import '${entry}';\n`)
      .join(''),
  );
  const [{ inputs } = { inputs: {} }] = bundle('unused.js');
  assert.equal(Object.keys(inputs), ['unused.js']);
});

const RECORDING = '7.3.4-selftest.vfio_compat_mock_domain.Ver1v2.map.jsonl.gz';
const recording = (): string =>
  gunzipSync(readFileSync(join(FIXTURES, RECORDING))).toString('utf8');
const kindsOf = (text: string): readonly string[] =>
  [...judgeText(text)].map(({ verdict }) => verdict.kind);

const JUDGE_PAGE = `
import { judgeText } from 'iommufd-spec/judge';
globalThis.kindsOf = (text) => [...judgeText(text)].map(({ verdict }) => verdict.kind);
`;

const judgeBundle = (): string => {
  project.write('page.js', JUDGE_PAGE);
  bundle('page.js');
  return readFileSync(join(project.folder, 'bundled', 'page.js'), 'utf8');
};

type Page = { kindsOf(text: string): readonly string[] };

test('the bundled judge needs no global of Node.js', () => {
  const globals = { TextEncoder, TextDecoder } as unknown as Page;
  runInNewContext(judgeBundle(), globals);
  assert.equal([...globals.kindsOf(recording())], kindsOf(recording()));
});

const inBrowser =
  CHROMIUM === undefined
    ? test.skip
    : (name: string, body: () => Promise<void>): void => test(name, body);

inBrowser('the bundled judge gives the same verdicts on a recording in Chromium', async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: judgeBundle() });
    const kinds = await page.evaluate(
      (text) => (globalThis as unknown as Page).kindsOf(text),
      recording(),
    );
    assert.ok(kinds.length > 10, 'the recording is short');
    assert.equal(kinds, kindsOf(recording()));
  } finally {
    await browser.close();
  }
});

/** The fenced blocks of the page: TypeScript, and behind each what it prints. */
const EXAMPLE = /```ts\n([\s\S]*?)```\n[\s\S]*?```\n([\s\S]*?)```/g;
const EXAMPLES = [...readFileSync(join('docs', 'library.md'), 'utf8').matchAll(EXAMPLE)].map(
  ([, code = '', printed = '']) => ({ code, printed }),
);

/** As a strict consumer has them. */
const OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'dom'],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  rootDir: '.',
  outDir: 'out',
};

/** Declarations are checked too, the first time. */
const compile = (module: string, moduleResolution: string, skipLibCheck: boolean): void => {
  const compilerOptions = { ...OPTIONS, module, moduleResolution, skipLibCheck };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['example*.ts'] }));
  run(process.execPath, [binary('typescript', 'bin/tsc'), '-p', '.'], project.folder);
};

test('the examples of the page compile in strict mode, and print what it says', () => {
  assert.is(EXAMPLES.length, 3);
  EXAMPLES.forEach(({ code }, index) => {
    project.write(`example${index}.ts`, code);
  });
  compile('esnext', 'bundler', false);
  compile('nodenext', 'nodenext', true);
  EXAMPLES.forEach(({ printed }, index) => {
    assert.is(
      project.node(join('out', `example${index}.js`)),
      printed,
      `docs/library.md, what example ${index + 1} prints`,
    );
  });
});

test.run();
