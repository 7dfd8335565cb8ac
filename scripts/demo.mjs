// The whole of Lethe on one machine: a real NATS server, a coordinator and two workers sweep emoji-sd for four concepts;
// then images from the same noise, before and with each mask by itself, and a verification from noise that the sweep never
// saw: a sample small enough for minutes, as its intervals say. Run again, it makes no UNet call but for the picture.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const data = '.lethe';
const picture = 'demo.png';
const campaign = join('deploy', 'campaign', 'emoji-demo.yaml');

/** One prompt for each concept, and two that hold none of them: what should stay. */
const prompts = [
  'a picture of a butterfly in the style of Neon',
  'a picture of a castle in the style of Poster',
  'a picture of a violin in the style of Fluent',
  'a picture of a cat in the style of Noto',
  'a picture of an owl in the style of Ink',
  'a picture of a red apple',
];

/** Test images of a concept, and as many of the rest. */
const sample = 24;

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
console.log(verified.trimEnd());

console.log(`
columns     ${prompts.join('\n            ')}
rows        before, ${concepts.map(({ concept }) => `without ${concept}`).join(', ')}
picture     ${join(process.cwd(), picture)}
report      ${report}
masks       ${join(process.cwd(), data, 'masks')}
logs        ${join(process.cwd(), data, 'log')}
NATS data   ${join(process.cwd(), data, 'nats')}
time        ${((performance.now() - started) / 1000).toFixed(0)} s

next        ./lethe show Neon         what a mask prunes, layer by layer
            ./lethe diff Neon Poster  what two masks have in common
            ./lethe up                a fleet that stays; sweep, apply, serve and the others find it
            ./lethe tune ${join('deploy', 'campaign', 'emoji-tune.yaml')}  smaller masks that erase more`);
