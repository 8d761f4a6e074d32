// SPDX-License-Identifier: MIT
// Where Chromium is, for tests of what runs in a browser; undefined where there is none.

import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

export const CHROMIUM = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path));

/** A headless browser, which the caller closes. */
export const startChromium = async (): Promise<Browser> => {
  if (CHROMIUM === undefined) throw new Error('There is no Chromium here.');
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
};
