// SPDX-License-Identifier: MIT
// Confirms an audit on kernels: runs each cause's program on both sides, and the C files of rows.

import type { CFile } from '../audit/c-files.ts';
import type { Located } from '../audit/located.ts';
import type { Scenario } from '../audit/platforms.ts';
import type { RecordedAudit, ShownOn } from '../audit/recorded.ts';
import { AUDITED_RELEASES, type AuditedRelease } from '../emit/audited-releases.ts';
import { count } from '../text/quantities.ts';
import { BadUse } from './bad-use.ts';
import { startKernel } from './kernel.ts';
import type { Output } from './output.ts';

/** An audit that collects confirmations, by the cause's key. */
type Noted = RecordedAudit & { readonly confirmed: Map<string, readonly AuditedRelease[]> };

type FoundIn = { readonly found: Located; readonly audit: Noted };

const sameMachine = (a: Scenario, b: Scenario): boolean =>
  a.machine === b.machine &&
  a.credentials === b.credentials &&
  a.kernelArguments.join() === b.kernelArguments.join();

/** The causes of audits, by the machine that shows them. */
const byMachine = (audits: readonly Noted[]): readonly (readonly [FoundIn, ...FoundIn[]])[] => {
  const groups: [FoundIn, ...FoundIn[]][] = [];
  for (const audit of audits) {
    for (const found of audit.rows.flatMap(({ causes }) => causes)) {
      const group = groups.find(([first]) => sameMachine(first.found.scenario, found.scenario));
      if (group === undefined) groups.push([{ found, audit }]);
      else group.push({ found, audit });
    }
  }
  return groups;
};

/** Records whether the release's kernel shows the cause. */
const note = (
  all: Map<string, readonly AuditedRelease[]>,
  key: string,
  release: AuditedRelease,
  isShown: boolean,
): void => {
  const known = all.get(key) ?? [];
  const releases = AUDITED_RELEASES.filter((name) =>
    name === release ? isShown : known.includes(name),
  );
  if (releases.length > 0) all.set(key, releases);
  else all.delete(key);
};

/** Runs C files on the kernel, which is of that release. */
const reproduce = async (
  image: string,
  release: AuditedRelease,
  files: readonly CFile[],
  reproduced: Map<string, readonly AuditedRelease[]>,
  refuted: string[],
  output: Output,
): Promise<void> => {
  const { canCompile, reproducedOn } = await import('../audit/reproduce.ts');
  if (!(await canCompile())) {
    output.error('There is no cc here: the C files were not run.');
    return;
  }
  const shown = await reproducedOn(image, files);
  for (const file of files) {
    const isShown = shown.has(file.id);
    note(reproduced, file.id, release, isShown);
    if (!isShown && file.shown.some((one) => one.release === release)) {
      refuted.push(`${file.id}: ${release} does not end its C file with 0`);
    }
  }
  output.error(`${image}: ${shown.size} of ${files.length} C files end with 0`);
};

/** The kernel's release; undefined where nothing was found to confirm. */
const confirm = async (
  image: string,
  audits: readonly Noted[],
  refuted: string[],
  output: Output,
): Promise<AuditedRelease | undefined> => {
  let release: AuditedRelease | undefined;
  const { confirmOn } = await import('../audit/confirm.ts');
  for (const there of byMachine(audits)) {
    const { machine, credentials, kernelArguments } = there[0].found.scenario;
    const { subject, setting } = await startKernel(
      { vm: image },
      machine,
      credentials,
      {},
      kernelArguments,
    );
    release = AUDITED_RELEASES.find((name) => name === setting.release);
    if (release === undefined) {
      await subject.close();
      throw new BadUse(
        `${image} is ${setting.release}; the audit has ${AUDITED_RELEASES.join(' and ')}.`,
      );
    }
    try {
      for (const audit of audits) {
        const all = there.filter((one) => one.audit === audit).map(({ found }) => found);
        const confirmations = await confirmOn(subject, audit.release, all);
        for (const [index, { key }] of all.entries()) {
          const confirmation = confirmations[index];
          if (confirmation === undefined || confirmation.kind === 'not-visible') continue;
          note(audit.confirmed, key, release, confirmation.kind === 'confirmed');
          if (confirmation.kind === 'refuted' && release === audit.release) {
            refuted.push(`${key}: ${release} showed ${confirmation.shown}`);
          }
        }
      }
    } finally {
      await subject.close();
    }
  }
  for (const { release: audited, rows, confirmed } of audits) {
    const all = rows.flatMap(({ causes }) => causes);
    const shown = all.filter(({ key }) => release && confirmed.get(key)?.includes(release));
    output.error(`${image}: ${shown.length} of ${all.length} causes of ${audited} seen`);
  }
  return release;
};

export type Confirming = {
  readonly images: readonly string[];
  readonly audits: readonly RecordedAudit[];
  /** Includes those of other releases, which share C files. */
  readonly all: readonly RecordedAudit[];
  /** The C files that were confirmed before. */
  readonly reproduced: ShownOn;
  readonly output: Output;
};

/** The audits with the new confirmations, and what the kernels refuted, in words. */
export type Confirmations = {
  readonly audits: readonly RecordedAudit[];
  readonly reproduced: ShownOn;
  readonly refuted: readonly string[];
};

const filesOf = async ({ audits, all }: Confirming): Promise<readonly CFile[]> => {
  const { cFilesOf } = await import('../audit/c-files.ts');
  const ids = new Set(audits.flatMap(({ rows }) => rows.map(({ description }) => description.id)));
  return cFilesOf(all).filter(({ id }) => ids.has(id));
};

export const confirmations = async (wanted: Confirming): Promise<Confirmations> => {
  const { images, output } = wanted;
  const refuted: string[] = [];
  const reproduced = new Map(wanted.reproduced);
  const audits = wanted.audits.map((audit) => ({
    ...audit,
    confirmed: new Map(audit.confirmed),
  }));
  const files = images.length === 0 ? [] : await filesOf(wanted);
  for (const image of images) {
    const release = await confirm(image, audits, refuted, output);
    if (release !== undefined) await reproduce(image, release, files, reproduced, refuted, output);
  }
  return { audits, reproduced, refuted };
};

export const refutedText = (refuted: readonly string[]): string =>
  `${count(refuted.length, 'cause')} not confirmed:\n${refuted.join('\n')}`;
