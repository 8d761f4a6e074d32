// SPDX-License-Identifier: MIT
// Words that this project does not use, and the word that it uses in place of each (docs/glossary.md). A pattern matches
// one line of a text in which identifiers are split into words and all is in lower case.

export type UnusedWord = {
  readonly pattern: RegExp;
  /** What to write. */
  readonly instead: string;
  /** Lines in which the word has another meaning. */
  readonly except?: RegExp;
};

export const UNUSED_WORDS: readonly UnusedWord[] = [
  { pattern: /\b(un)?(tell|tells|telling|told)\b/, instead: 'report, return, write, list, say' },
  { pattern: /\bin-kernel users?\b/, instead: 'access' },
  { pattern: /\bmediated devices?\b/, instead: 'mdev', except: /subject:/ },
  {
    pattern: /\bregisters\b/,
    instead: 'BAR',
    except: /registers of\b|[gs]et registers|const registers = 27|big uint64 array\(registers/,
  },
  { pattern: /\b(stands?|stood|standing)\b/, instead: 'is', except: /stands? for/ },
  {
    pattern: /\bversions? [12]\b/,
    instead: 'v1, v2',
    except: /ktap|format|trace|record|report|exploration|file|ids of rules|lines? of version/,
  },
  { pattern: /\b(looks|look(ed|ing)? (at|into))\b/, instead: 'probe, check, read, compare' },
  { pattern: /\b(an?|the|each|every|this|that|no|last|first|one) look\b/, instead: 'probe' },
  {
    pattern: /\b(draws?|drawn|drew|drawing)\b/,
    instead: 'generate',
    except: /chart|picture|diagram|plot/,
  },
  { pattern: /\b(dice|scenes?|themes?|drafts?)\b/, instead: 'rng, context, profile, builder' },
  { pattern: /\b(odd|oddly)\b/, instead: 'invalid' },
  { pattern: /\bplainer\b/, instead: 'simpler' },
  {
    pattern: /\b(letters?|alphabets?)\b/,
    instead: 'action, action set',
    except: /digits|letter by/,
  },
  { pattern: /\bthings?\b/, instead: 'handle, or the noun that is meant' },
  { pattern: /\bdoors?\b/, instead: 'ioctl dispatch' },
  {
    pattern: /\bpages?\b[^.;]{0,24}\bh[eo]ld(s|ing)?\b|\bh[eo]ld(s|ing)?\b[^.;]{0,24}\bpages?\b/,
    instead: 'pin, unpin',
    except: /holds: (true|false)|pages-others-hold/,
  },
  { pattern: /\b(unseen|is seen)\b/, instead: 'missed, found, shown' },
  { pattern: /\bends wrap\b/, instead: 'find dma wraps' },
  {
    pattern: /\b(forgotten|forgetting|forgets?)\b/,
    instead: 'untracked, lost',
    except: /-forgets?-/,
  },
  { pattern: /\b(grounds?|twins?|facets?)\b/, instead: 'scenario, pair, difference kind' },
  {
    pattern: /\b(concerns?|concerned|witness(es|ed)?|excuses?|excused)\b/,
    instead: 'be about, condition, reason',
  },
  {
    pattern: /\bfaulty\b|\b(deliberate|shown|planted|historical) faults?\b/,
    instead: 'defect, defective',
  },
  { pattern: /\btill\b/, instead: 'until' },
  { pattern: /\bmend(s|ed|ing)?\b/, instead: 'fix' },
  { pattern: /\b(go|goes|going|gone) on with\b/, instead: 'continue, resume' },
];
