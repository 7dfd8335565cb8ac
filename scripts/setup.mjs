// Brings a checkout to a runnable state with Node and npm alone: installs what the lock file pins, generates the
// protobuf types, compiles. Every step is skipped when its inputs are older than its output. Uses no dependency.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = process.argv.includes('--quiet');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`lethe needs Node 20.12 or newer; this is ${process.version}`);
  process.exit(1);
}

/** Modification time in ms, of the newest file where `path` is a folder; 0 if there is none. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

function step(title, command, args) {
  if (!quiet) console.log(`setup: ${title}`);
  // A shell only where npm is a .cmd file; the arguments are constants.
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  if (done.status === 0) return;
  console.error(`setup: ${title} failed: ${command} ${args.join(' ')}`);
  console.error(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`);
  process.exit(1);
}

/** Removes what was compiled from sources that are gone, whose specs vitest would go on running. True if there was any. */
function removeStale(folder = '') {
  if (!existsSync(join('dist', folder))) return false;
  const stale = readdirSync(join('dist', folder), { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return removeStale(path);
    if (!path.endsWith('.js') || existsSync(path.replace(/js$/, 'ts'))) return false;
    for (const end of ['', '.map']) rmSync(join('dist', path + end), { force: true });
    return true;
  });
  return stale.includes(true);
}

process.chdir(root);
const bin = (name) => join('node_modules', '.bin', name);

if (newest('node_modules/.package-lock.json') < Math.max(newest('package-lock.json'), newest('.npmrc'))) {
  step('installing dependencies (npm ci)', 'npm', ['ci', '--no-progress']);
}
if (newest('gen') < Math.max(newest('proto'), newest('buf.gen.yaml'), newest('node_modules/.package-lock.json'))) {
  rmSync('gen', { recursive: true, force: true });
  step('generating protobuf types', bin('buf'), ['generate']);
}
const sources = ['gen', 'shared', 'coordinator', 'worker', 'cli', 'integration', 'tsconfig.json'];
// A file of its own: tsc --noEmit, which editors and people run, renews .tsbuildinfo too.
if (removeStale() || newest('dist/.compiled') < Math.max(...sources.map(newest))) {
  step('compiling', bin('tsc'), ['--build']);
  // npm makes it so only where it installs the package.
  chmodSync('dist/cli/main.js', 0o755);
  writeFileSync('dist/.compiled', '');
}
