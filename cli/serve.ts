import { Command, Option } from 'commander';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { processNameLimit } from '../shared/bus/presence.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { lockFolder, unlockFolder } from '../shared/lock/folder-lock.ts';
import { servedHosts } from '../worker/serve/host-check.ts';
import { startServing } from '../worker/serve/serving-process.ts';
import { dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { type PublishedOptions, publishedKeys, publishedOptions, whereNatsIs } from './fleet/published-settings.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { logLines } from './output/log-lines.ts';
import { accessOf, certificateOf, type ListenOptions, listenOptions } from './serve/listen-settings.ts';
import { type ModelOptions, modelOptions, openModel, type OpenModel } from './serve/serving-model.ts';

interface ServeOptions extends PublishedOptions, ModelOptions, ListenOptions {
  readonly batch: number;
  readonly queue: number;
  readonly deadline: number;
  readonly name?: string;
  readonly state?: string;
  readonly serveUnpruned?: boolean;
  readonly data?: string;
  readonly json?: boolean;
}

/** Milliseconds a first request waits for others that come at the same moment: little beside what an image takes. */
const gatherMs = 10;

export function serveCommand(): Command {
  const command = new Command('serve');
  for (const option of [...modelOptions(), ...listenOptions(), ...publishedOptions()]) command.addOption(option);
  return command
    .addOption(
      new Option('--batch <n>', 'images made together')
        .argParser(options.integer(1, 256))
        .default(8)
        .env('LETHE_BATCH'),
    )
    .addOption(
      new Option('--queue <n>', 'images that may wait; past it requests are answered 429')
        .argParser(options.integer(1, 100_000))
        .default(64)
        .env('LETHE_QUEUE'),
    )
    .addOption(
      new Option('--deadline <seconds>', 'a request that takes longer is answered 504')
        .argParser(options.integer(1, 86_400))
        .default(120)
        .env('LETHE_DEADLINE'),
    )
    .addOption(
      new Option('--name <name>', 'what acknowledgements call this process (default: HOST:PORT)')
        .argParser(options.text(processNameLimit))
        .env('LETHE_NAME'),
    )
    .addOption(
      new Option(
        '--state <dir>',
        'folder of this process alone that remembers the version seen (default: DATA/serve/HOST-PORT)',
      ).env('LETHE_STATE'),
    )
    .addOption(
      options.flagOption(
        'serve-unpruned',
        'serve the checkpoint with nothing pruned until the first manifest comes',
        'LETHE_SERVE_UNPRUNED',
      ),
    )
    .addOption(dataOption())
    .addOption(new Option('--json', 'log JSON lines instead of text'))
    .addHelpText(
      'after',
      `
Answers POST /v1/images/generations, GET /v1/models, and /health, /ready, /metrics. Masks are those that \`lethe apply\` makes
active: they change between requests. Prompts are never logged.

Examples:
  $ lethe up & lethe serve
  $ curl http://127.0.0.1:8080/v1/images/generations -H 'content-type: application/json' \\
      -d '{"prompt": "a picture of a cat in the style of Neon", "seed": 7}'
  $ lethe serve --checkpoint /models/stable-diffusion-v1-5 --host 0.0.0.0 --port 443 \\
      --tls-certificate tls.crt --tls-key tls.key --api-keys api-keys.txt \\
      --nats nats-1:4222,nats-2:4222 --nats-user serve --trust-list trust.json

Each flag is an environment variable too: --api-keys is LETHE_API_KEYS.`,
    )
    .action(serve);
}

async function serve(given: ServeOptions): Promise<void> {
  const { data } = await fleetSettings(given);
  const log = given.json === true ? pino(process.stdout) : pino(logLines(process.stdout));
  const state = stateOf(given, data);
  await lockFolder(state);
  const signals = stopSignals();
  let model: OpenModel | undefined;
  try {
    const [access, tls, keys] = await Promise.all([accessOf(given), certificateOf(given), publishedKeys(given, data)]);
    model = await openModel(given);
    const serving = await startServing(
      {
        name: given.name ?? `${hostname()}:${given.port}`.slice(0, processNameLimit),
        host: given.host,
        port: given.port,
        tls,
        access,
        hosts: servedHosts(given.hosts ?? [], given.host, given.apiKeys !== undefined),
        queue: { waiting: given.queue, batch: given.batch, gatherMs },
        deadlineMs: given.deadline * 1000,
        state,
        keys,
        bus: whereNatsIs(given, data),
        unpruned: given.serveUnpruned === true,
      },
      model,
      log,
    );
    await signals.first;
    await serving.stop();
  } finally {
    signals.release();
    await model?.close();
    await unlockFolder(state);
  }
}

/** @throws LetheError `usage` where the port does not tell one process from another. */
function stateOf({ state, host, port }: ServeOptions, data: string): string {
  if (state !== undefined) return state;
  if (port !== 0) return join(data, 'serve', `${host}-${port}`.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
  throw new LetheError('usage', {
    what: 'cannot serve images',
    where: '--port 0',
    why: 'what this process remembers is kept by its port, which is another one each time',
    next: 'give --state DIR, a folder of this process alone, or a port',
  });
}
