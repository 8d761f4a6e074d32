// SPDX-License-Identifier: MIT
// Building a kernel, without building one: the choice of the package, options that a configuration
// lost, missing requirements, and the call of another tree's makefile.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorLines, madeFile } from '../../../oracle/kernel-build/build.ts';
import { buildFolder, cacheFolder, VARIANTS } from '../../../oracle/kernel-build/cache.ts';
import { fragmentsOf, lostOptions, optionsOf } from '../../../oracle/kernel-build/configure.ts';
import {
  chooseOffer,
  parseOffers,
  parseWanted,
  releaseOf,
} from '../../../oracle/kernel-build/offers.ts';
import { missingText } from '../../../oracle/kernel-build/requirements.ts';

const MADISON = `
linux-source-6.12 | 6.12.117-1~deb12u1 | http://mirror/debian-security bookworm-security/main amd64 Packages
linux-source-6.12 | 6.12.95-1~bpo12+1 | http://mirror/debian bookworm-backports/main amd64 Packages
linux-source-6.12 | 6.12.90-1 | http://mirror/debian trixie/main amd64 Packages
`;

const build = suite('kernel-build');

build('offers: what was asked for, else what is specified, else the newest', () => {
  const offers = parseOffers(MADISON);
  assert.is(offers.length, 3);
  const choose = (
    text: string,
    suiteName?: string,
    specified = ['6.12.95'],
  ): string | undefined => {
    const wanted = parseWanted(text);
    if (wanted === undefined) throw new Error(`${text} is no version.`);
    const offer = chooseOffer(offers, wanted, suiteName, specified);
    return offer === undefined ? undefined : `${releaseOf(offer)} ${offer.suite}`;
  };
  assert.is(choose('6.12'), '6.12.95 bookworm-backports');
  assert.is(choose('6.12', undefined, []), '6.12.117 bookworm-security');
  assert.is(choose('6.12', 'trixie'), '6.12.90 trixie');
  assert.is(choose('6.12.117'), '6.12.117 bookworm-security');
  assert.is(choose('6.12.117', 'trixie'), undefined);
  assert.is(choose('6.12.1'), undefined);
});

build('versions: a series or a release', () => {
  assert.equal(parseWanted('7.3'), { series: '7.3', release: undefined });
  assert.equal(parseWanted('7.3.4'), { series: '7.3', release: '7.3.4' });
  for (const text of ['7', 'v7.3', '7.3.4.5', '7.3-rc1', '']) {
    assert.is(parseWanted(text), undefined, text);
  }
});

build(
  'options: the last of a name holds, and what is not set is lost only where it was wanted',
  () => {
    const has = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\n';
    assert.equal([...optionsOf('CONFIG_A=y\n# CONFIG_A is not set\n')], [['CONFIG_A', 'n']]);
    assert.equal(lostOptions(['CONFIG_A=y\n# CONFIG_D is not set\n'], has), []);
    assert.equal(lostOptions(['CONFIG_A=y\nCONFIG_B=y\n', 'CONFIG_D=y\n'], has), [
      'CONFIG_B',
      'CONFIG_D',
    ]);
    assert.equal(lostOptions(['CONFIG_C=y\n', '# CONFIG_C is not set\n'], has), ['CONFIG_C']);
  },
);

build('fragments: each is there, sets something, and names each option once', () => {
  for (const path of fragmentsOf(VARIANTS)) {
    const text = readFileSync(path, 'utf8');
    const lines = text.split('\n').filter((line) => /^(# )?CONFIG_/.test(line));
    assert.ok(lines.length > 1, path);
    assert.is(optionsOf(text).size, lines.length, path);
  }
});

build('cache: outside the checkout, a build for each set of variants', () => {
  assert.is(cacheFolder({ XDG_CACHE_HOME: '/cache' }), '/cache/iommufd-spec/kernels');
  assert.match(cacheFolder({}), /\/\.cache\/iommufd-spec\/kernels$/);
  assert.is(buildFolder('/x', []), '/x/build');
  assert.is(buildFolder('/x', ['debug', 'iommufd-container']), '/x/build-debug-iommufd-container');
});

build('requirements: all that is missing, with the packages', () => {
  assert.is(missingText([]), undefined);
  const text = missingText([
    { what: 'gelf.h', package: 'libelf-dev' },
    { what: 'bc', package: 'bc' },
  ]);
  assert.match(text ?? '', /lacks gelf\.h, bc/);
  assert.match(text ?? '', /apt-get install libelf-dev bc/);
});

build('make: files from kbuild, and the first error of what it said', () => {
  assert.is(madeFile('  CC      drivers/iommu/iommufd/pages.o'), 'drivers/iommu/iommufd/pages.o');
  assert.is(madeFile('Kernel: arch/x86/boot/bzImage is ready'), undefined);
  const said = `${'a line\n'.repeat(40)}file.c:3: error: no\n${'after\n'.repeat(40)}`;
  assert.match(errorLines(said), /^a line\na line\nfile\.c:3: error: no\nafter/);
  assert.is(errorLines('one\ntwo\n'), 'one\ntwo');
});

/** A tree that is built like a kernel's, but at once. */
const MAKEFILE = `
all: ; @false
tinyconfig: ; @echo '# CONFIG_IOMMUFD is not set' > $(O)/.config
olddefconfig: ; @cp $(O)/wanted $(O)/.config
bzImage: ; @echo '  CC      kernel.o'; mkdir -p $(O)/arch/x86/boot; echo $(ARCH) > $(O)/arch/x86/boot/bzImage
kernelrelease: ; @echo 7.3.4$(LOCALVERSION)
`;
const MERGE = '#!/bin/sh\nwanted=$(dirname "$4")/wanted; shift 4; cat "$@" > "$wanted"\n';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-'));
build.after(() => rmSync(FOLDER, { recursive: true }));

const makeTree = (name: string, makefile: string): string => {
  const tree = join(FOLDER, name);
  mkdirSync(join(tree, 'scripts', 'kconfig'), { recursive: true });
  writeFileSync(join(tree, 'Kconfig'), '');
  writeFileSync(join(tree, 'Makefile'), makefile);
  writeFileSync(join(tree, 'scripts', 'kconfig', 'merge_config.sh'), MERGE);
  return tree;
};

/** The programs that the build requires; each reports that it exists. */
const TOOLS = join(FOLDER, 'tools');
mkdirSync(TOOLS);
for (const name of ['gcc', 'ld', 'flex', 'bison', 'bc']) {
  writeFileSync(join(TOOLS, name), '#!/bin/sh\nexit 0\n');
  chmodSync(join(TOOLS, name), 0o755);
}
const hasMake = spawnSync('make', ['--version'], { stdio: 'ignore' }).status === 0;

const run = (...words: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('dist', 'oracle', 'cli', 'main.js'), 'kernel-build', ...words],
    {
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${TOOLS}:${process.env.PATH}`,
        XDG_CACHE_HOME: join(FOLDER, 'cache'),
      },
    },
  );
  return { status, out: stdout, error: stderr };
};

build('use: a version or a tree, and nothing else', () => {
  const tree = makeTree('used', MAKEFILE);
  for (const words of [[], ['7'], ['7.3', '--tree', tree], ['--tree', tree, '--suite', 'sid']]) {
    assert.is(run(...words).status, 2, words.join(' '));
  }
  assert.is(run('--tree', join(FOLDER, 'nowhere')).status, 2);
  assert.match(run('--tree', FOLDER).error, /not the source tree of a kernel/);
  writeFileSync(join(tree, '.config'), '');
  assert.match(run('--tree', tree).error, /mrproper/);
});

if (hasMake) {
  build('tree: the image is the only line of the output', () => {
    const tree = makeTree('good', MAKEFILE);
    const { status, out, error } = run('--tree', tree, '--debug');
    assert.is(status, 0, error);
    assert.match(out, /^\/.*\/build-debug\/arch\/x86\/boot\/bzImage\n$/);
    assert.is(readFileSync(out.trim(), 'utf8'), 'x86_64\n');
    assert.match(error, /Linux 7\.3\.4\n/);
    assert.not.match(out, new RegExp(`^${tree}/`));
    assert.not(existsSync(join(tree, '.config')));
  });

  build('tree: options that it does not know are named, and no iommufd is the end', () => {
    const few = MAKEFILE.replace('cp $(O)/wanted', 'grep -v UDMABUF $(O)/wanted >');
    const lossy = run('--tree', makeTree('few', few));
    assert.is(lossy.status, 0, lossy.error);
    assert.match(lossy.error, /not in this kernel: CONFIG_UDMABUF\n/);
    const none = MAKEFILE.replace('cp $(O)/wanted', 'grep -v IOMMUFD $(O)/wanted >');
    const old = run('--tree', makeTree('old', none));
    assert.is(old.status, 2);
    assert.match(old.error, /has no CONFIG_IOMMUFD/);
  });

  build('tree: what the compiler prints is reported', () => {
    const bad = MAKEFILE.replace(/^bzImage:.*$/m, "bzImage: ; @echo 'a.c:1: error: x' >&2; false");
    const { status, error } = run('--tree', makeTree('bad', bad));
    assert.is(status, 3);
    assert.match(error, /a\.c:1: error: x/);
  });
}

build.run();
