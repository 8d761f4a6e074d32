// SPDX-License-Identifier: MIT
// Versions of kernels, as uname -r prints them: "7.3.4", "6.14.0-29-generic", "6.12.96+deb13-amd64", "7.4.0-rc3".

export type Version = {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** What follows the numbers names a distribution, or changes of somebody's own: the kernel may have backports. */
  readonly isModified: boolean;
};

const VERSION =
  /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(-rc\d{1,2})?([-+~][\w.+~-]{0,64}|\.[\w.+~-]{1,64})?$/;

/** Undefined if the text is no version of a kernel. */
export const parseVersion = (text: string): Version | undefined => {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch = '0', , suffix] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    isModified: suffix !== undefined,
  };
};

/** A mainline version: major and minor number, such as 6.12. */
export type Mainline = `${number}.${number}`;

const numbersOf = (mainline: Mainline): readonly [number, number] => {
  const [major, minor] = mainline.split('.');
  return [Number(major), Number(minor)];
};

/** Negative if the version is of an older mainline version, 0 if it is of that one, positive if it is of a newer one. */
export const compareToMainline = (version: Version, mainline: Mainline): number => {
  const [major, minor] = numbersOf(mainline);
  return version.major - major || version.minor - minor;
};
