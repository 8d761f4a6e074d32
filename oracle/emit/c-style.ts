// How a C file tells of its calls: one by one with what is expected, or into a table that holds two runs side by side.

export type CStyle = {
  /** The expression that makes a call, whose value is the result or -errno. */
  readonly tell: (text: string, call: string, expected: string) => string;
  /** The same for a file without which the rest means nothing; `path` is an expression. */
  readonly open: (text: string, path: string) => string;
  /** The expression of a file's path. */
  readonly path: (path: string) => string;
  /** The expression of a device's name; undefined where it stands in the file as it is. */
  readonly device: (name: string) => string | undefined;
  /** The last call is compared with what the trace says of it. */
  readonly concludes: boolean;
};

export const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

export const PLAIN_STYLE: CStyle = {
  tell: (text, call, expected) => `tell(${quoted(text)},\n\t     ${call}, ${expected})`,
  open: (text, path) => `tell_open(${quoted(text)}, ${path})`,
  path: quoted,
  device: () => undefined,
  concludes: true,
};
