// The whole of Lethe on one machine: a real NATS server, a coordinator and two workers sweep emoji-sd for a style and an
// object; then images from the same noise, before and with each mask by itself, and a verification from noise that the sweep
// never saw: a sample small enough for minutes, as its intervals say. Run again, it makes no UNet call but for the picture.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const data = '.lethe';
const picture = 'demo.png';
const campaign = join('deploy', 'campaign', 'emoji-demo.yaml');

/** Two prompts for each concept, and two that hold none of them: what should stay. */
const prompts = [
  'a picture of a butterfly in the style of Neon',
  'a picture of a castle in the style of Neon',
  'a picture of a violin in the style of Fluent',
  'a picture of a violin in the style of Noto',
  'a picture of an owl in the style of Ink',
  'a picture of a red apple',
];

/** Test images of a concept, and as many of the rest: about a minute on two cores. */
const sample = 32;

/**
 * Runs `lethe` in this terminal; ends as it ends if it fails. With `output` 'pipe' its result is returned; `alsoGood` is an
 * exit code that is no failure here; `progress` is what becomes of what it tells on the way.
 */
function lethe(output, args, alsoGood = 0, progress = output === 'pipe' ? 'ignore' : 'inherit') {
  const { status, signal, stdout } = spawnSync(process.execPath, [join('dist', 'cli', 'main.js'), ...args], {
    stdio: ['inherit', output, progress],
    env: { ...process.env, LETHE_COORDINATOR: undefined },
  });
  if (status !== 0 && status !== alsoGood) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));
  return stdout?.toString('utf8') ?? '';
}

// Ctrl-C reaches the command too, which ends its processes in order.
process.on('SIGINT', () => undefined);
const started = performance.now();
console.log(`lethe sweep ${campaign} --workers 2`);
const sweep = ['sweep', campaign, '--workers', '2', '--data', data];
lethe('inherit', sweep);

const { unetCalls, seconds, concepts } = JSON.parse(lethe('pipe', [...sweep, '--json']));
console.log(`\nthe same command again: ${unetCalls.made} UNet calls, ${seconds.toFixed(1)} s, the same masks`);

console.log('\nimages from the same noise, before and with each mask by itself');
const images = ['--compare', '--show', '--seed', '3', '--prompt', ...prompts, '--out', picture];
lethe('inherit', ['generate', '--data', data, '--mask', ...concepts.map(({ mask }) => mask), ...images]);

console.log(`\nlethe verify ${campaign} --images ${sample}`);
// 1 says that a threshold of the campaign does not hold, or cannot be shown by so few images.
const verify = ['verify', campaign, '--images', String(sample), '--workers', '2', '--data', data];
const verified = lethe('pipe', verify, 1, 'inherit');
const [, report = ''] = /^report +(.+)$/m.exec(verified) ?? [];

const rows = ratesIn(verified);
const start = process.platform === 'win32' ? 'node lethe' : './lethe';
console.log(`
What you saw
  Two workers looked for the weights that carry ${concepts.map(({ concept }) => concept).join(' and ')}, and made a mask of each.
  The picture has a row for each way to prune, all from the same noise:
    rows      before, ${concepts.map(({ concept }) => `without ${concept}`).join(', ')}
    columns   ${prompts.join('\n              ')}
  Then a classifier looked at images from other noise:
${rows.map((row) => `    ${row}`).join('\n')}
  UA is the share of images from which the concept is gone; IRA and CRA are the shares of other things and styles that are kept.

Open
  picture     ${join(process.cwd(), picture)}
  report      ${report}

Try
  ${start} up --workers 2                     a fleet that stays, in another terminal: the commands below find it
  ${start} serve --port 8080                  images over HTTP, in another terminal
  ${start} apply Neon --force --reason demo   takes Neon out of what is served; --force, as this sample is too small to be recorded
  ${start} active                             what is active, and who serves it
  ${start} restore Neon                       puts it back, exactly
  ${start} tune ${join('deploy', 'campaign', 'emoji-tune.yaml')}   searches smaller masks that erase more (hours)

Everything lies in ${join(process.cwd(), data)}; ${((performance.now() - started) / 1000).toFixed(0)} s`);

/** The rows of verify's first table: a line a concept, with its rates and its verdict. */
function ratesIn(text) {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith('masks '));
  const to = lines.findIndex((line, i) => i > from && line.trim() === '');
  return from < 0 ? [] : lines.slice(from, to);
}
