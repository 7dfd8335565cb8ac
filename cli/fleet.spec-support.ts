import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanEnvironment, mainFile } from './run-command.spec-support.ts';

/** Two styles over two things, two calls a trajectory: as little as shows everything. */
export const tinyCampaign = `name: tiny
sampling: { guidance: 2.5 }
tau: 2
mask:
  sites:
    ffn2: { skill_ratio: 0.05, selection: contrast }
    attn-value: { skill_ratio: 0.1, selection: contrast }
prompts:
  things: [a picture of a cat, a picture of a bus]
concepts:
  - { name: Neon, kind: style, things: things, phrase: in the style of Neon }
  - { name: Poster, kind: style, things: things, phrase: in the style of Poster }
`;

/** Starts `lethe` and leaves it running. */
export function startLethe(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [mainFile, ...args], { env: cleanEnvironment() });
}

/** Resolves with what a stream has said when that matches; rejects if it ends before. */
export function said(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child[stream]?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (pattern.test(text)) resolve(text);
    });
    child.once('close', () => {
      reject(new Error(`it ended and had said: ${text}`));
    });
  });
}

/** Ids of the processes whose command line holds a text, such as the fleet's folder or its coordinator's address. */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(join('/proc', name, 'cmdline'), 'utf8').catch(() => '');
    if (command.replaceAll('\0', ' ').includes(text)) found.push(Number(name));
  }
  return found;
}
