// SPDX-License-Identifier: MIT
// Saving: a plain file is wholly the old one or the new one, whatever fails; nothing else is
// replaced or removed, and nothing is left behind.

import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../oracle/files/reason.ts';
import { saveFile } from '../../../oracle/files/save-file.ts';
import { withSmallDisk } from '../../helpers/small-disk.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'properties-save-'));
const SAVE_FILE = pathToFileURL(resolve('dist', 'oracle', 'files', 'save-file.js')).href;
const IS_ROOT = process.getuid?.() === 0;

const test = suite('saving files');

test.after(() => rmSync(FOLDER, { recursive: true }));

/** A new folder for one case. */
const folder = (): string => mkdtempSync(join(FOLDER, 'case-'));

const reasonFor = (path: string, content: Parameters<typeof saveFile>[1]): Promise<string> =>
  saveFile(path, content).then(
    () => 'saved',
    (error: unknown) => reasonOf(error),
  );

/** Pieces of a file, and the bytes after which its disk is full. */
const PIECES = fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 });

test('a file is what was saved, with its permissions, and alone in its folder', async () => {
  const file = join(folder(), 'file');
  // Only root may change the owner of files.
  const [owner, group] = IS_ROOT
    ? [65534, 65534]
    : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const property = fc.asyncProperty(
    PIECES,
    fc.integer({ min: 0o200, max: 0o777 }),
    async (pieces, mode) => {
      writeFileSync(file, 'old');
      chownSync(file, owner, group);
      chmodSync(file, mode | 0o200);
      await saveFile(file, pieces);
      assert.equal(readFileSync(file), Buffer.concat(pieces));
      assert.is(statSync(file).mode & 0o777, mode | 0o200);
      assert.is(statSync(file).uid, owner);
      assert.equal(readdirSync(resolve(file, '..')), ['file']);
      rmSync(file);
    },
  );
  await fc.assert(property, { seed: 1, numRuns: 20 });
});

test('a new file has the permissions that the umask leaves', async () => {
  const file = join(folder(), 'file');
  await saveFile(file, 'new');
  assert.is(statSync(file).mode & 0o777, 0o666 & ~process.umask());
});

/** The pieces, until the disk is full. */
function* untilFull(pieces: readonly Uint8Array[], room: number): Generator<Uint8Array> {
  let left = room;
  for (const piece of pieces) {
    left -= piece.length;
    if (left < 0) throw Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28 });
    yield piece;
  }
}

test('a failure halfway leaves the old file, and no other', async () => {
  const file = join(folder(), 'file');
  const property = fc.asyncProperty(PIECES, fc.nat(), async (pieces, room) => {
    writeFileSync(file, 'old');
    const length = Buffer.concat(pieces).length;
    const reason = await reasonFor(file, untilFull(pieces, room % (length + 1)));
    const isSaved = room % (length + 1) === length;
    assert.is(reason, isSaved ? 'saved' : 'no space left on device (ENOSPC)');
    assert.equal(readFileSync(file), isSaved ? Buffer.concat(pieces) : Buffer.from('old'));
    assert.equal(readdirSync(resolve(file, '..')), ['file']);
  });
  await fc.assert(property, { seed: 2, numRuns: 20 });
});

/**
 * Saves 100,000 bytes and prints the reason, in a process that may write files of at most 64 KiB.
 */
const SAVE_MUCH = `import(process.argv[1]).then(({ saveFile }) => saveFile(process.argv[2], 'x'.repeat(100_000)))
  .then(() => console.log('saved'), (error) => console.log(error.code))`;

test('the kernel refuses to write more: the old file stays', () => {
  const file = join(folder(), 'file');
  writeFileSync(file, 'old');
  const limited = ['-c', 'ulimit -f 128; exec "$@"', 'sh', process.execPath, '-e', SAVE_MUCH];
  assert.is(
    execFileSync('sh', [...limited, SAVE_FILE, file])
      .toString()
      .trim(),
    'EFBIG',
  );
  assert.is(readFileSync(file, 'utf8'), 'old');
  assert.equal(readdirSync(resolve(file, '..')), ['file']);
});

test('a full disk: the old file stays', () => {
  const script = 'echo old > file; "$@"; cat file; ls -A';
  const out = withSmallDisk(folder(), 64, script, [
    process.execPath,
    '-e',
    SAVE_MUCH,
    SAVE_FILE,
    'file',
  ]);
  if (out !== undefined) assert.is(out, 'ENOSPC\nold\nfile\n');
});

test('a link stays, and its target is saved', async () => {
  const place = folder();
  mkdirSync(join(place, 'far'));
  symlinkSync('far/../far/second', join(place, 'first'));
  symlinkSync('file', join(place, 'far', 'second'));
  for (const text of ['made', 'replaced']) {
    await saveFile(join(place, 'first'), text);
    assert.is(readFileSync(join(place, 'far', 'file'), 'utf8'), text);
  }
  assert.is(readlinkSync(join(place, 'first')), 'far/../far/second');
  assert.is(readlinkSync(join(place, 'far', 'second')), 'file');
  assert.equal(readdirSync(place).sort(), ['far', 'first']);
  symlinkSync('round', join(place, 'round'));
  assert.match(await reasonFor(join(place, 'round'), ''), 'ELOOP');
});

test('what is no name of a file, and what may not be written, is refused', async () => {
  const place = folder();
  const file = join(place, 'file');
  writeFileSync(file, 'old', { mode: 0o444 });
  for (const [path, why] of [
    ['', 'the name of a file is missing'],
    [place, 'it is a folder'],
    [`${file}/`, 'the name of a file is missing'],
    [join(place, 'none', 'file'), 'no such file or directory (ENOENT)'],
    [join(file, 'file'), 'ENOTDIR'],
    ['/proc/x', 'no file can be made in /proc'],
    ...(IS_ROOT ? [] : [[file, 'permission denied (EACCES)'] as const]),
  ] as const) {
    assert.match(await reasonFor(path, 'new'), why);
  }
  assert.is(readFileSync(file, 'utf8'), 'old');
  assert.equal(readdirSync(place), ['file']);
});

test('a device is written into and stays; a block device is not written to', async () => {
  assert.is(await reasonFor('/dev/full', 'new'), 'no space left on device (ENOSPC)');
  assert.ok(lstatSync('/dev/full').isCharacterDevice());
  if (!IS_ROOT) return;
  const place = folder();
  execFileSync('mknod', [join(place, 'null'), 'c', '1', '3']);
  execFileSync('mknod', [join(place, 'disk'), 'b', '7', '99']);
  symlinkSync('null', join(place, 'link'));
  const reasons = [
    await reasonFor(join(place, 'null'), 'new'),
    await reasonFor(join(place, 'link'), 'new'),
  ];
  // A file system without devices has the node, but nobody can open it.
  for (const reason of reasons) assert.ok(['saved', 'permission denied (EACCES)'].includes(reason));
  assert.ok(lstatSync(join(place, 'null')).isCharacterDevice());
  assert.match(await reasonFor(join(place, 'disk'), 'new'), 'block device');
  assert.equal(readdirSync(place).sort(), ['disk', 'link', 'null']);
});

test('a pipe with a name waits for its reader, and may lose it', async () => {
  const pipe = join(folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const saved = saveFile(pipe, 'x'.repeat(300_000));
  await delay(50);
  const read = await new Promise<string>((done) => {
    execFile('cat', [pipe], (_error, out) => done(out));
  });
  await saved;
  assert.is(read.length, 300_000);
  const lost = reasonFor(pipe, 'x'.repeat(300_000));
  execFile('head', ['-c', '10', pipe]);
  assert.is(await lost, 'broken pipe (EPIPE)');
  assert.ok(lstatSync(pipe).isFIFO());
});

/** Saves block by block, slowly, and prints a line at the start. */
const SAVE_SLOWLY = `function* blocks() {
  for (let block = 0; block < 1000; block += 1) {
    if (block === 2) console.log('begun');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    yield new Uint8Array(1 << 20);
  }
}
import(process.argv[1]).then(({ saveFile }) => saveFile(process.argv[2], blocks()));`;

test('a signal ends it, and the new file is gone', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const file = join(folder(), 'file');
    writeFileSync(file, 'old');
    const child = spawn(process.execPath, ['-e', SAVE_SLOWLY, SAVE_FILE, file]);
    const status = new Promise<number | null>((done) => child.on('close', done));
    await new Promise((done) => child.stdout.once('data', done));
    assert.is(readdirSync(resolve(file, '..')).length, 2);
    child.kill(signal);
    assert.is(await status, 130, signal);
    assert.equal(readdirSync(resolve(file, '..')), ['file']);
    assert.is(readFileSync(file, 'utf8'), 'old');
  }
});

test('of several saves at once each is whole, and the last one stays', async () => {
  const file = join(folder(), 'file');
  const texts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(200_000));
  await Promise.all(texts.map((text) => saveFile(file, text)));
  assert.ok(texts.includes(readFileSync(file, 'utf8')));
  assert.equal(readdirSync(resolve(file, '..')), ['file']);
});

const SAVE_TO_OUTPUT = `console.log('before');
import(process.argv[1]).then(({ saveFile }) => saveFile(process.argv[2], 'saved\\n'))
  .then(() => console.log('behind'));`;

test("a file that is a process's output keeps its contents", () => {
  const place = folder();
  const log = join(place, 'log');
  const run = (path: string): string => {
    writeFileSync(log, '');
    const words = ['sh', log, process.execPath, '-e', SAVE_TO_OUTPUT, SAVE_FILE, path];
    execFileSync('sh', ['-c', 'log=$1; shift; exec "$@" > "$log" 3> "$log.3"', ...words]);
    assert.equal(readdirSync(place), ['log', 'log.3']);
    return `${readFileSync(log, 'utf8')}|${readFileSync(`${log}.3`, 'utf8')}`;
  };
  assert.is(run('/dev/stdout'), 'before\nsaved\nbehind\n|');
  assert.is(run('/dev/fd/3'), 'before\nbehind\n|saved\n');
});

test.run();
