// iommufd-spec check: programs drawn at random, run on the emulator and judged.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { FaultName } from '../../model/emulator/faults.ts';
import { PATHS, type PathsOfCampaign } from '../../model/programs/paths.ts';
import type { Setting } from '../../spec/platform.ts';
import type { CampaignOptions } from '../check/campaign.ts';
import type { CampaignFile } from '../check/campaign-file.ts';
import { coverOf } from '../check/cover.ts';
import type { CampaignReport, Counterexample } from '../check/report.ts';
import { type Shard, shardOfSetting } from '../check/shard.ts';
import { campaignsText, summaryOf } from '../report/campaign-text.ts';
import { counterexampleReport, counterexampleText, settingText } from '../report/counterexample.ts';
import { coverText } from '../report/cover/cover-text.ts';
import { grouped } from '../report/quantities.ts';
import type { Verbosity } from '../report/verbosity.ts';
import { campaignFileText } from '../trace/campaign-json.ts';
import { jsonLine } from '../trace/json-line.ts';
import { traceLines } from '../trace/trace-file.ts';
import { BadUse } from './bad-use.ts';
import { COVER_HELP, checkCoverFile, saveCover } from './cover-file.ts';
import { FINE, INTERRUPTED, VIOLATION } from './exit-status.ts';
import { interruption } from './interruption.ts';
import {
  addSubjectOptions,
  isOnKernel,
  kernelCredentials,
  kernelPlatforms,
  type SubjectOptions,
  startKernel,
  subjectText,
} from './kernel.ts';
import { type Output, openOutput } from './output.ts';
import { NO_PROGRESS, type Progress, startProgress } from './progress.ts';
import { saveTrace, traceOf } from './save-trace.ts';
import {
  addDefectOption,
  addSettingOptions,
  defectsText,
  type SettingOptions,
  settingsFor,
  wholeNumber,
} from './settings.ts';
import { writeResult } from './write-result.ts';

type Options = SettingOptions &
  SubjectOptions & {
    readonly runs?: number;
    readonly seconds: number;
    readonly seed?: number;
    readonly length: number;
    readonly dma?: number;
    readonly paths: PathsOfCampaign;
    readonly guided?: boolean;
    readonly shard?: Shard;
    readonly cover?: true | string;
    readonly report?: string;
    readonly save: string;
    readonly defect?: readonly FaultName[];
    readonly json?: true;
    readonly verbose?: true;
  };

const EXAMPLES = `
Examples:
  $ iommufd-spec check
  $ iommufd-spec check --runs 1000 --seed 7
  $ iommufd-spec check --release 6.12.95 --platform mixed --seconds 60
  $ iommufd-spec check --unprivileged --memlock 8
  $ iommufd-spec check --paths legacy --platform vtd
  $ iommufd-spec check --defect cut-off-by-one
  $ iommufd-spec check --cover
  $ iommufd-spec check --seconds 60 --cover rules.html
  $ iommufd-spec check --runs 100000 --seed 7 --shard 2/8 --report 2.json
  $ iommufd-spec check --subject kernel --vm bzImage --platform vtd --runs 2000
  $ iommufd-spec check --subject kernel --vm bzImage --platform vtd --runs 200 --dma 1

Without --release, --platform and --unprivileged, each release is checked on each platform, with and without
privilege. The first violation ends the check: its program is shrunk, printed and saved. A shard goes on, as the others do not
know of it, and shrinks the first; on a kernel it goes on with the next platform. Exit status: 0 no violation,
1 a violation, 130 interrupted.`;

const SEED_MAX = 0x7fff_ffff;

const seedNumber = (text: string): number => {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || Math.abs(value) > SEED_MAX) {
    throw new InvalidArgumentError('It must be a whole number of 31 bits.');
  }
  return value;
};

/** "2/8" */
const shardNumber = (text: string): Shard => {
  const [, number, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const index = Number(number) - 1;
  if (!(index >= 0 && index < Number(of))) {
    throw new InvalidArgumentError('It must be K/N, with K from 1 to N.');
  }
  return { index, of: Number(of) };
};

/** As many of the runs as the setting at `index` gets, if `total` are shared by `count`. */
const share = (total: number, count: number, index: number): number =>
  Math.floor(total / count) + (index < total % count ? 1 : 0);

type Campaigns = {
  /** What the programs ran on, and the command that runs one again there. */
  readonly subject: string;
  readonly replay: string;
  readonly reports: readonly CampaignReport[];
  readonly counterexample: Counterexample | undefined;
  readonly seconds: number;
};

type Campaign = Omit<CampaignOptions, 'setting' | 'faults'>;

/** One setting with what programs run on there. */
type Place = {
  readonly setting: Setting;
  readonly campaign: (campaign: Campaign) => Promise<CampaignReport>;
  readonly close: () => Promise<void>;
};

/** A place is opened when its turn comes: a kernel is started only then. */
type Opening = () => Promise<Place>;

const emulatorPlaces = (options: Options): readonly Opening[] => {
  const { defect } = options;
  const faults = defect === undefined ? {} : { faults: new Set(defect) };
  return settingsFor(options).map((setting) => async () => {
    const { runCampaign } = await import('../check/campaign.ts');
    return {
      setting,
      campaign: (campaign) => runCampaign({ ...campaign, ...faults, setting }),
      close: async () => {},
    };
  });
};

const kernelPlaces = (options: Options): readonly Opening[] => {
  if (options.defect !== undefined) {
    throw new BadUse('--defect is of the emulator; a kernel has the defects that it has.');
  }
  const { release } = options;
  const releases = release === undefined ? {} : { asked: release };
  return kernelPlatforms(options).flatMap((platform) =>
    kernelCredentials(options, platform).map((credentials) => async () => {
      const { runKernelCampaign } = await import('../check/kernel-campaign.ts');
      const { subject, setting } = await startKernel(options, platform, credentials, releases);
      return {
        setting,
        campaign: (campaign) => runKernelCampaign({ ...campaign, setting, subject }),
        close: () => subject.close(),
      };
    }),
  );
};

/** On a kernel drawing takes no time from the programs; a shard knows nothing of what the others drew. */
const isGuided = (options: Options): boolean =>
  options.shard === undefined && (options.guided ?? isOnKernel(options));

/** Without a number of runs, each place gets its share of the time. */
const runAll = async (
  openings: readonly Opening[],
  seed: number,
  options: Options,
  signal: AbortSignal,
  progress: Progress,
): Promise<Pick<Campaigns, 'reports' | 'counterexample' | 'seconds'>> => {
  const { runs, length, dma, paths, shard } = options;
  const looks = dma === undefined ? {} : { looks: { transfersIn: dma } };
  const reports: CampaignReport[] = [];
  const start = Date.now();
  let starting = 0;
  const spent = (): number => (Date.now() - start - starting) / 1000;
  for (const [index, open] of openings.entries()) {
    if (signal.aborted) break;
    const asked = Date.now();
    const place = await open();
    starting += Date.now() - asked;
    const before = reports.reduce((sum, report) => sum + report.runs, 0);
    const slice = (options.seconds / openings.length) * (index + 1) - spent();
    const time = AbortSignal.timeout(Math.max(1, Math.round(slice * 1000)));
    const report = await place
      .campaign({
        seed,
        length,
        ...looks,
        paths,
        guided: isGuided(options),
        ...(shard === undefined ? {} : { shard: shardOfSetting(shard, index) }),
        runs: runs === undefined ? Number.MAX_SAFE_INTEGER : share(runs, openings.length, index),
        signal: runs === undefined ? AbortSignal.any([signal, time]) : signal,
        onProgress: (done) =>
          progress.at(
            runs === undefined
              ? Math.min(Math.floor(spent()), options.seconds)
              : before + done.runs,
            `${grouped(done.calls)} calls on ${settingText(place.setting)}`,
          ),
      })
      .finally(place.close);
    reports.push(report);
    if (report.counterexample !== undefined && shard === undefined) break;
  }
  const counterexample = reports.find((report) => report.counterexample)?.counterexample;
  return { reports, counterexample, seconds: spent() };
};

const fileOf = (campaigns: Campaigns, seed: number, options: Options): CampaignFile => {
  const { runs, seconds, length, dma, paths, shard, defect = [] } = options;
  const { subject } = campaigns;
  return {
    asked: {
      subject,
      seed,
      ...(runs === undefined ? { seconds } : { runs }),
      length,
      paths,
      ...(dma === undefined ? {} : { dma }),
      guided: isGuided(options),
      defects: defect,
    },
    ...(shard === undefined ? {} : { shards: { held: [shard.index + 1], of: shard.of } }),
    milliseconds: Math.round(campaigns.seconds * 1000),
    campaigns: campaigns.reports.map(({ counterexample, seed: _, ...counts }) => ({
      ...counts,
      trace:
        counterexample === undefined
          ? undefined
          : [...traceLines(traceOf(counterexample, seed, defect, subjectOf(options)))],
    })),
  };
};

const subjectOf = (options: Options): 'kernel' | 'emulator' =>
  isOnKernel(options) ? 'kernel' : 'emulator';

const printText = (
  output: Output,
  campaigns: Campaigns,
  seed: number,
  verbosity: Verbosity,
  { save: saved, cover }: Options,
): void => {
  const { palette } = output;
  const { reports, counterexample, seconds } = campaigns;
  const summary = summaryOf(reports, seed, seconds, campaigns.subject);
  output.lines(campaignsText(summary, verbosity, palette));
  if (cover === true) output.lines(['', ...coverText(coverOf(reports), palette)]);
  output.line('');
  if (counterexample === undefined) {
    output.line(palette.good('no violation'));
    return;
  }
  output.lines(counterexampleText(counterexample, verbosity, palette));
  output.lines(['', `Saved to ${saved}; to run it again: ${campaigns.replay} ${saved}`]);
};

const printJson = (
  output: Output,
  campaigns: Campaigns,
  seed: number,
  { save: saved, cover }: Options,
): void => {
  const { reports, counterexample, seconds } = campaigns;
  output.line(
    jsonLine({
      ...summaryOf(reports, seed, seconds, campaigns.subject),
      seconds,
      ...(cover === undefined ? {} : { cover: coverOf(reports) }),
      ...(counterexample === undefined
        ? {}
        : { counterexample: counterexampleReport(counterexample, 'brief'), saved }),
    }),
  );
};

const ON_EMULATOR = { subject: 'the emulator', replay: 'iommufd-spec replay' };

const check = async (options: Options): Promise<number> => {
  if (options.shard !== undefined && options.seed === undefined) {
    throw new BadUse('Shards of one run have one seed: name it with --seed.');
  }
  if (options.shard !== undefined && options.guided === true) {
    throw new BadUse('--guided makes a program depend on all before it, which shards do not draw.');
  }
  if (typeof options.cover === 'string') checkCoverFile(options.cover);
  const output = openOutput();
  const verbosity: Verbosity = options.verbose === true ? 'full' : 'brief';
  const seed = options.seed ?? Math.floor(Math.random() * SEED_MAX);
  const { signal, release } = interruption();
  const progress =
    options.json === true
      ? NO_PROGRESS
      : options.runs === undefined
        ? startProgress(output, options.seconds, 'seconds')
        : startProgress(output, options.runs, 'programs');
  const onKernel = isOnKernel(options);
  const openings = onKernel ? kernelPlaces(options) : emulatorPlaces(options);
  const campaigns = {
    ...(await runAll(openings, seed, options, signal, progress)),
    ...(onKernel ? subjectText(options) : ON_EMULATOR),
  };
  progress.hide();
  release();
  const { counterexample } = campaigns;
  if (counterexample !== undefined) {
    saveTrace(
      options.save,
      traceOf(counterexample, seed, options.defect ?? [], subjectOf(options)),
    );
  }
  if (options.report !== undefined) {
    writeResult(options.report, campaignFileText(fileOf(campaigns, seed, options)), '--report');
  }
  if (typeof options.cover === 'string') saveCover(options.cover, coverOf(campaigns.reports));
  if (options.json === true) printJson(output, campaigns, seed, options);
  else printText(output, campaigns, seed, verbosity, options);
  if (counterexample !== undefined) return VIOLATION;
  if (signal.aborted) output.error(output.errorPalette.doubtful('interrupted'));
  return signal.aborted ? INTERRUPTED : FINE;
};

export const addCheck = (program: Command): void => {
  const command = program
    .command('check')
    .description(
      'run random programs, on the emulator or on a kernel, and judge every reply and the hidden state',
    )
    .option('--runs <programs>', 'how many programs to run, in all', wholeNumber(1))
    .option('--seconds <seconds>', 'how long to run, without --runs', wholeNumber(1), 10)
    .option('--seed <seed>', 'what the programs are drawn with (default: a new one)', seedNumber)
    .option(
      '--length <operations>',
      'how many operations a program has at most',
      wholeNumber(1),
      40,
    )
    .option(
      '--dma <programs>',
      'in one program of so many a device moves memory, which shows what its IOMMU translates; 0 for none (default: 4 on the emulator, 16 on a kernel)',
      wholeNumber(0),
    )
    .addOption(
      new Option('--paths <paths>', 'through which files programs call VFIO')
        .choices([...PATHS, 'any'])
        .default('any'),
    );
  addSubjectOptions(addSettingOptions(command))
    .option(
      '--guided',
      'draw refusals again that would repeat what was seen often (on a kernel the default)',
    )
    .option('--no-guided', 'draw every program by itself')
    .option('--shard <k/n>', 'run the k-th of n parts of the programs', shardNumber)
    .option('--cover [file]', COVER_HELP)
    .option('--report <file>', 'write the report to a file, which merge reads')
    .option('--save <file>', 'where a counterexample is saved', 'counterexample.jsonl')
    .option('--json', 'print one line of JSON')
    .option('-v, --verbose', 'name the rules that were not reached, and show more of the state');
  addDefectOption(command)
    .addHelpText('after', EXAMPLES)
    .addHelpText('after', defectsText)
    .action(async (options: Options) => {
      process.exitCode = await check(options);
    });
};
