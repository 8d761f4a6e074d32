// SPDX-License-Identifier: MIT
// Caches a value that follows from a part of a world, for all laws that read one world after the
// other: parts are immutable, and the latest few are found again. A table of all of them costs more
// than it saves.

const KEPT = 8;

/** The function with a cache of its last values. */
export const memoize = <Part extends object, V extends object>(
  of: (part: Part) => V,
): ((part: Part) => V) => {
  const parts: (Part | undefined)[] = Array.from({ length: KEPT });
  const values: V[] = [];
  let next = 0;
  return (part) => {
    const at = parts.indexOf(part);
    if (at !== -1) return values[at] as V;
    const value = of(part);
    parts[next] = part;
    values[next] = value;
    next = (next + 1) % KEPT;
    return value;
  };
};
