import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Chromium on PATH, or the one that CHROMIUM names; undefined if there is none. Nothing is downloaded. */
export async function findChromium(): Promise<string | undefined> {
  const { PATH = '', CHROMIUM } = process.env;
  const places = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  for (const place of [...(CHROMIUM === undefined ? [] : [CHROMIUM]), ...places]) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return undefined;
}

/** Starts it without a window. As root, as in containers, its sandbox does not work; what is opened is our own. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0, args: quiet });
}
