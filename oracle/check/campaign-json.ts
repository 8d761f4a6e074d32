// A check's report as JSON and back: what `check --report` writes and `merge` reads.

import { readFileSync } from 'node:fs';
import { BadInput } from '../trace/bad-input.ts';
import { Fields, parseObject } from '../trace/fields.ts';
import { jsonLine } from '../trace/json-line.ts';
import { settingJson, settingOf } from '../trace/setting-json.ts';
import type { CampaignFile, SavedCampaign } from './campaign-file.ts';
import { SHARDS_MAX } from './shard.ts';

const FORMAT = 'iommufd-check-report';

/** Of version 1 the rules had other ids. */
const VERSION = 2;

const campaignJson = ({ setting, ...counts }: SavedCampaign) => ({
  ...settingJson(setting),
  ...counts,
});

export const campaignFileText = ({
  asked,
  shards,
  milliseconds,
  campaigns,
}: CampaignFile): string =>
  `${jsonLine({ format: FORMAT, version: VERSION, asked, shards, milliseconds, campaigns: campaigns.map(campaignJson) })}\n`;

const countsOf = (fields: Fields): ReadonlyMap<string, number> =>
  new Map(fields.names().map((name) => [name, fields.integer(name)]));

const campaignOf = (fields: Fields): SavedCampaign => {
  const verdicts = fields.object('verdicts');
  const at = fields.has('at') ? fields.object('at') : undefined;
  const trace = fields.has('trace') ? fields.texts('trace') : undefined;
  return {
    setting: settingOf(fields),
    runs: fields.integer('runs'),
    calls: fields.integer('calls'),
    failing: fields.integer('failing'),
    verdicts: {
      conforms: verdicts.integer('conforms'),
      deviation: verdicts.integer('deviation'),
      unknown: verdicts.integer('unknown'),
      unspecified: verdicts.integer('unspecified'),
      violation: verdicts.integer('violation'),
    },
    rules: countsOf(fields.object('rules')),
    knownComplaints: countsOf(fields.object('knownComplaints')),
    interrupted: fields.flag('interrupted'),
    shrinks: fields.integer('shrinks'),
    at: at === undefined ? undefined : { batch: at.integer('batch'), index: at.integer('index') },
    trace,
  };
};

const ASKED_NUMBERS = ['runs', 'seconds', 'dma'] as const;

const askedOf = (fields: Fields): CampaignFile['asked'] => {
  const numbers = ASKED_NUMBERS.filter((name) => fields.has(name));
  return {
    subject: fields.text('subject'),
    seed: fields.integer('seed'),
    length: fields.integer('length'),
    paths: fields.text('paths'),
    guided: fields.flag('guided'),
    defects: fields.texts('defects'),
    ...Object.fromEntries(numbers.map((name) => [name, fields.integer(name)])),
  };
};

const shardsOf = (fields: Fields): NonNullable<CampaignFile['shards']> => {
  const of = fields.integer('of');
  if (of < 1 || of > SHARDS_MAX) {
    fields.fail(`"shards.of" is ${of}; a run has 1 to ${SHARDS_MAX} shards`);
  }
  const held = fields.list('held').map((number) => {
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > of) {
      fields.fail(`"shards.held" has ${String(number)}; the shards are numbered from 1 to ${of}`);
    }
    return number;
  });
  if (held.length === 0 || new Set(held).size !== held.length) {
    fields.fail('"shards.held" has no shard, or one twice');
  }
  return { held, of };
};

/** Throws BadInput where the file is not there or is no report of a check. */
export const readCampaignFile = (path: string): CampaignFile => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadInput(path, 0, `the file cannot be read: ${why}`);
  }
  const fields = new Fields(path, 1, parseObject(path, 1, text.trim()));
  if (fields.raw('format') !== FORMAT) {
    fields.fail('this is no report of a check, as check --report writes it');
  }
  if (fields.raw('version') !== VERSION) {
    const version = String(fields.raw('version'));
    fields.fail(
      `version ${version} of reports is not read, only version ${VERSION}; run check again`,
    );
  }
  return {
    asked: askedOf(fields.object('asked')),
    ...(fields.has('shards') ? { shards: shardsOf(fields.object('shards')) } : {}),
    milliseconds: fields.integer('milliseconds'),
    campaigns: fields.objects('campaigns').map(campaignOf),
  };
};
