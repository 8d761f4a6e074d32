// Where an audit goes. One that was interrupted is told and not written: it would stand where a whole one is wanted.

import { accessSync, constants, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseName } from '../../spec/terms/releases.ts';
import type { CFile } from '../audit/reproduce.ts';
import type { AuditDocument } from '../report/audit/document.ts';
import { jsonLine } from '../trace/json-line.ts';
import { EnvironmentError } from '../vm/environment-error.ts';

export const INTERRUPTED_SAYS =
  'interrupted: this is what was found until then, and no file was written';

/** Makes the folder. Throws EnvironmentError, before minutes are spent, where nothing can be written there. */
export const requireFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `The audit cannot be written: ${why}. Name another folder with --output.`,
    );
  }
};

/** For machines: a document that says so where it is not whole. */
export const audited = <T extends object>(
  document: T,
  signal: AbortSignal,
): T & { readonly interrupted?: true } =>
  signal.aborted ? { ...document, interrupted: true } : document;

/** Writes the C files of rows; those of rows that are no more go. */
export const writeC = (folder: string, release: ReleaseName, files: readonly CFile[]): void => {
  const own = join(folder, release);
  mkdirSync(own, { recursive: true });
  for (const name of readdirSync(own)) if (name.endsWith('.c')) rmSync(join(own, name));
  for (const { id, text } of files) writeFileSync(join(own, `${id}.c`), text);
};

export const write = async (
  folder: string,
  document: AuditDocument,
): Promise<readonly string[]> => {
  const { auditMarkdown } = await import('../report/audit/markdown.ts');
  const { auditHtml } = await import('../report/audit/html.ts');
  mkdirSync(folder, { recursive: true });
  const files = [
    [`${document.release}.md`, `${auditMarkdown(document).join('\n')}\n`],
    [`${document.release}.json`, `${jsonLine(document)}\n`],
    [`${document.release}.html`, `${auditHtml(document)}\n`],
  ] as const;
  return files.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
};
