import { Command, Option } from 'commander';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { LetheError } from '../shared/error/lethe-error.ts';
import { requireAllowed } from '../shared/fleet/security.ts';
import { schedulerNames } from '../worker/diffusion/scheduler/scheduler-name.ts';
import { type Access, bearerAccess, openAccess } from '../worker/serve/access.ts';
import type { ServerCertificate } from '../worker/serve/http-server.ts';
import { startServing } from '../worker/serve/serving-process.ts';
import { dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { type PublishedOptions, publishedKeys, publishedOptions, whereNatsIs } from './fleet/published-settings.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { logLines } from './output/log-lines.ts';
import { type ModelOptions, openModel, type OpenModel } from './serving-model.ts';

interface ServeOptions extends PublishedOptions, ModelOptions {
  readonly host: string;
  readonly port: number;
  readonly apiKeys?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
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
  const command = new Command('serve')
    .description('Serves images over HTTP with the active masks, in the shape of the OpenAI images API, until Ctrl-C.')
    .addOption(options.checkpointOption())
    .addOption(options.variantOption())
    .addOption(options.providerOption())
    .addOption(options.threadsOption())
    .addOption(
      new Option('--model <name>', "what requests call the model (default: the checkpoint's folder)").env(
        'LETHE_MODEL',
      ),
    )
    .addOption(
      new Option('--scheduler <name>', "diffusion scheduler (default: the checkpoint's own)")
        .choices(schedulerNames)
        .env('LETHE_SCHEDULER'),
    )
    .addOption(
      new Option('--steps <n>', 'inference steps (default: 50; emoji-sd: 25)')
        .argParser(options.integer(1, 1000))
        .env('LETHE_STEPS'),
    )
    .addOption(
      new Option('--guidance <x>', 'classifier-free guidance scale (default: 7.5; emoji-sd: 2.5)')
        .argParser(options.decimal)
        .env('LETHE_GUIDANCE'),
    )
    .addOption(
      new Option('--size <WxH,...>', "sizes that may be asked for, the usual one first (default: the checkpoint's own)")
        .argParser((text: string) => text.split(',').map(options.size))
        .default([], '')
        .env('LETHE_SIZE'),
    )
    .addOption(
      options.flagOption(
        'per-timestep',
        'prune at each step what was scored there, where a mask says so, instead of the same at all',
        'LETHE_PER_TIMESTEP',
      ),
    )
    .addOption(new Option('--host <address>', 'address to listen on').default('127.0.0.1').env('LETHE_HOST'))
    .addOption(
      new Option('--port <n>', 'port to listen on; 0 for any free one')
        .argParser(options.integer(0, 65535))
        .default(8080)
        .env('LETHE_PORT'),
    )
    .addOption(
      new Option('--api-keys <file>', 'let in only who shows one of the keys in this file, one a line').env(
        'LETHE_API_KEYS',
      ),
    )
    .addOption(
      new Option('--tls-certificate <file>', 'serve HTTPS with this certificate, PEM').env('LETHE_TLS_CERTIFICATE'),
    )
    .addOption(new Option('--tls-key <file>', 'and its key').env('LETHE_TLS_KEY'))
    .addOption(
      options.flagOption(
        'insecure',
        'plain text, or without keys, on other addresses than loopback: something in front has to guard it',
        'LETHE_INSECURE',
      ),
    )
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
      new Option('--name <name>', 'what acknowledgements call this process (default: HOST:PORT)').env('LETHE_NAME'),
    )
    .addOption(
      new Option(
        '--state <dir>',
        'folder of this process alone that remembers the version seen (default: DATA/serve/PORT)',
      ).env('LETHE_STATE'),
    )
    .addOption(
      options.flagOption(
        'serve-unpruned',
        'serve the checkpoint with nothing pruned until the first manifest comes',
        'LETHE_SERVE_UNPRUNED',
      ),
    )
    .addOption(dataOption());
  for (const option of publishedOptions()) command.addOption(option);
  return command
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
      --nats nats-1:4222,nats-2:4222 --nats-user serve --nats-password-file nats.txt --trust-list trust.json`,
    )
    .action(serve);
}

async function serve(given: ServeOptions): Promise<void> {
  const { data } = await fleetSettings(given);
  const log = given.json === true ? pino(process.stdout) : pino(logLines(process.stdout));
  const signals = stopSignals();
  let model: OpenModel | undefined;
  try {
    const [access, tls, keys] = await Promise.all([accessOf(given), certificateOf(given), publishedKeys(given, data)]);
    model = await openModel(given);
    const serving = await startServing(
      {
        name: given.name ?? `${hostname()}:${given.port}`,
        host: given.host,
        port: given.port,
        tls,
        access,
        queue: { waiting: given.queue, batch: given.batch, gatherMs },
        deadlineMs: given.deadline * 1000,
        state: given.state ?? join(data, 'serve', String(given.port)),
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
  }
}

/** @throws LetheError `usage` where anybody of the network could ask, in plain text or without a key. */
async function accessOf({ apiKeys, host, insecure }: ServeOptions): Promise<Access> {
  if (apiKeys !== undefined) return bearerAccess(await fileOf(apiKeys, '--api-keys'), apiKeys);
  if (insecure !== true)
    requireLoopback(host, 'give --api-keys FILE, or --insecure if something in front asks for keys');
  return openAccess;
}

async function certificateOf(given: ServeOptions): Promise<ServerCertificate | undefined> {
  const { tlsCertificate, tlsKey, host, insecure } = given;
  if (tlsCertificate !== undefined && tlsKey !== undefined)
    return {
      certificate: Buffer.from(await fileOf(tlsCertificate, '--tls-certificate')),
      key: Buffer.from(await fileOf(tlsKey, '--tls-key')),
    };
  if (tlsCertificate !== undefined || tlsKey !== undefined)
    throw usage('TLS', 'a certificate and its key belong together', 'give both --tls-certificate and --tls-key');
  if (insecure !== true)
    requireLoopback(host, 'give --tls-certificate and --tls-key, or --insecure if TLS ends in front of this process');
  return undefined;
}

function requireLoopback(host: string, next: string): void {
  try {
    requireAllowed({ kind: 'plain-text-loopback' }, host);
  } catch (error) {
    if (error instanceof LetheError) throw usage(host, error.why, next);
    throw error;
  }
}

async function fileOf(path: string, option: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw usage(option, cause instanceof Error ? cause.message : String(cause), 'name a file that can be read');
  });
}

function usage(where: string, why: string, next: string): LetheError {
  return new LetheError('usage', { what: 'cannot serve images', where, why, next });
}
