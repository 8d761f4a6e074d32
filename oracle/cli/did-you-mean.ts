// SPDX-License-Identifier: MIT
// Suggestions for misspelt values, as commander has them for commands and options.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { listed } from '../text/quantities.ts';

const SILENT = { writeErr: (): void => {}, outputError: (): void => {} };

/** Names within a typing error of the word, closest first; empty if none is close. */
const closest = (word: string, known: readonly string[]): string | undefined => {
  // Commander suggests commands: the names are registered as such.
  const program = new Command().helpCommand(false).exitOverride().configureOutput(SILENT);
  for (const name of new Set(known)) program.addCommand(new Command(name));
  try {
    program.parse(['--', word], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return /\(Did you mean (.*)\?\)/s.exec(error.message)?.[1];
  }
  return undefined;
};

/** " Did you mean vtd?"; empty where no name is close. */
export const didYouMean = (word: string, known: readonly string[]): string => {
  const names = closest(word, known);
  return names === undefined ? '' : ` Did you mean ${names}?`;
};

/** The value, which is one of the names. Throws InvalidArgumentError, with a suggestion where a name is close. */
export const oneOf =
  <Name extends string>(names: readonly Name[]) =>
  (word: string): Name => {
    const found = names.find((name) => name === word);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be ${listed(names, 'or')}.${didYouMean(word, names)}`);
  };

/** An option that takes one of the names. */
export const optionOf = (flags: string, description: string, names: readonly string[]): Option =>
  new Option(flags, description).choices(names).argParser(oneOf(names));

/** Collects the values of an option that may be given more than once. */
export const oneMore =
  <Name extends string>(names: readonly Name[]) =>
  (word: string, others: readonly Name[] | undefined): readonly Name[] => {
    const found = names.find((name) => name === word);
    if (found !== undefined) return [...(others ?? []), found];
    const suggestion = didYouMean(word, names);
    const all = suggestion === '' ? ` These are: ${names.join(', ')}.` : suggestion;
    throw new InvalidArgumentError(`There is no such name.${all}`);
  };
