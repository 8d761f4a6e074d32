// What stands in a file, in a message about it: short, and of printable ASCII alone, so that no terminal takes it for a
// command.

const LONGEST = 60;

const forJson = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : value;

const escaped = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** The value as JSON. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value, forJson) ?? 'nothing';
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
  return short.replace(/[^ -~]/g, escaped);
};
