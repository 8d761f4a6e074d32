// SPDX-License-Identifier: MIT
// Logs as strace writes them with its options, from calls as data; and their verdicts.

import { constants } from 'node:os';
import { straceFormat } from '../../oracle/judge/strace-format.ts';
import type { JudgedCall } from '../../oracle/judge/verdict.ts';

/** A call on a descriptor, as every set of options has it. */
export type LogCall = {
  readonly pid: number;
  readonly name: 'openat' | 'close' | 'ioctl' | 'dup';
  readonly fd: number;
  readonly path: string;
  readonly command?: number;
  readonly argument?: bigint;
  readonly result: number;
  readonly errno: number;
};

export type LogForm = {
  readonly followed?: 'brackets' | 'column';
  readonly paths?: 'y' | 'yy';
  readonly time?: string;
  readonly spent?: true;
  readonly constants?: 'raw' | 'verbose' | 'names';
  readonly isRaw?: true;
};

const NAMES: Readonly<Record<number, string>> = {
  15204: 'VFIO_GET_API_VERSION',
  15205: 'VFIO_CHECK_EXTENSION',
  15206: 'VFIO_SET_IOMMU',
  15207: 'VFIO_GROUP_GET_STATUS',
  15208: 'VFIO_GROUP_SET_CONTAINER',
  15210: 'VFIO_GROUP_GET_DEVICE_FD',
  15216:
    'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO or VFIO_IOMMU_GET_INFO or VFIO_IOMMU_SPAPR_TCE_GET_INFO',
  15217: 'VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA',
  15233: 'IOMMU_IOAS_ALLOC',
};

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

const commandText = (command: number, form: LogForm): string => {
  if (form.isRaw || form.constants === 'raw') return hex(command);
  const ioc = `_IOC(_IOC_NONE, ${hex(command >>> 8)}, ${hex(command & 0xff)}, 0)`;
  const name = NAMES[command] ?? ioc;
  return form.constants === 'verbose' ? `${hex(command)} /* ${name} */` : name;
};

const errnoNames = new Map(
  Object.entries(constants.errno).map(([name, value]) => [value, name] as const),
);

const pathText = (path: string, { paths }: LogForm): string =>
  paths === undefined ? '' : paths === 'y' ? `<${path}>` : `<${path}<char 10:125>>`;

const fdText = (fd: number, path: string, form: LogForm): string =>
  form.isRaw ? hex(fd) : `${fd}${pathText(path, form)}`;

const argumentsOf = ({ name, fd, path, command = 0, argument = 0n }: LogCall, form: LogForm) => {
  switch (name) {
    case 'openat':
      return [form.constants === 'raw' ? '-100' : 'AT_FDCWD', `"${path}"`, 'O_RDWR|O_CLOEXEC'];
    case 'ioctl':
      return [fdText(fd, path, form), commandText(command, form), hex(argument)];
    default:
      return [fdText(fd, path, form)];
  }
};

const resultText = ({ name, path, result, errno }: LogCall, form: LogForm): string => {
  if (errno !== 0) {
    return form.isRaw ? `-1 (errno ${errno})` : `-1 ${errnoNames.get(errno)} (what it says)`;
  }
  const opens = name === 'openat' || name === 'dup';
  return opens ? fdText(result, path, form) : form.isRaw ? hex(result) : `${result}`;
};

const prefixOf = (pid: number, { followed, time }: LogForm): string => {
  const of =
    followed === 'brackets'
      ? `[pid ${pid.toString().padStart(5)}] `
      : followed === 'column'
        ? `${pid.toString().padEnd(5)} `
        : '';
  return `${of}${time === undefined ? '' : `${time} `}`;
};

export const logLine = (call: LogCall, form: LogForm): string => {
  const text = `${call.name}(${argumentsOf(call, form).join(', ')})`.padEnd(39);
  const spent = form.spent ? ' <0.000017>' : '';
  return `${prefixOf(call.pid, form)}${text} = ${resultText(call, form)}${spent}`;
};

/** The same call on two lines, as where another process comes between. */
export const splitLines = (call: LogCall, form: LogForm): readonly [string, string] => {
  const args = argumentsOf(call, form);
  const [last = ''] = args.slice(-1);
  const before = [call.name, '(', args.slice(0, -1).join(', ')].join('');
  const rest = args.length > 1 ? `, ${last}` : last;
  const prefix = prefixOf(call.pid, form);
  return [
    `${prefix}${before} <unfinished ...>`,
    `${prefix}<... ${call.name} resumed>${rest}) = ${resultText(call, form)}`,
  ];
};

export type JudgedLog = {
  readonly calls: readonly JudgedCall[];
  /** "line: why" */
  readonly skipped: readonly string[];
};

export const judgeLog = (lines: readonly string[]): JudgedLog => {
  const format = straceFormat();
  const calls: JudgedCall[] = [];
  const skipped: string[] = [];
  let world = format.start;
  for (const [index, text] of lines.entries()) {
    const chunk = Buffer.from(text, 'latin1');
    const line = { number: index + 1, chunk, start: 0, end: chunk.length };
    const taken = format.take(world, line);
    ({ world } = taken);
    if (taken.judged !== undefined) calls.push(taken.judged);
    if (taken.skipped !== undefined) skipped.push(`${index + 1}: ${taken.skipped}`);
  }
  return { calls, skipped };
};

/** "line kind", and by which rule where that is known. */
export const verdictsOf = ({ calls }: JudgedLog): readonly string[] =>
  calls.map(({ line, verdict }) => {
    const by = verdict.kind === 'conforms' ? ` ${verdict.rule.id}` : '';
    return `${line} ${verdict.kind}${by}`;
  });
