import type { ActiveMask, ManifestResponse, RecordedMask } from '../../gen/fleet/v1/mask.ts';
import { exitCodes, reportFailure } from '../output/failure.ts';
import { shortHash } from '../output/figures.ts';
import { servingBehind, servingText } from '../output/serving-rows.ts';
import { type VerifiedMask, verifiedText } from '../output/verified-text.ts';
import { awaitServing } from './await-serving.ts';
import type { FleetClient } from './fleet-client.ts';

/** What apply, restore and rollback are told beside the change. */
export interface ChangeOptions {
  readonly timeout: number;
  readonly json?: boolean;
}

/**
 * Makes a change, waits until the processes that serve have taken it over, and prints what is active and a row a process.
 * The exit code is 1 if some have not: they are named.
 */
export async function changeMasks(
  client: FleetClient,
  checkpoint: string,
  change: () => Promise<ManifestResponse>,
  { timeout, json }: ChangeOptions,
): Promise<void> {
  const before = (await client.serving(checkpoint)).processes;
  const manifest = await change();
  const rows = await awaitServing(
    client,
    checkpoint,
    manifest,
    before,
    timeout * 1000,
    ({ process: name, seconds }) => {
      if (process.stderr.isTTY)
        process.stderr.write(`${name} serves by it${seconds === undefined ? '' : ` (${seconds.toFixed(1)} s)`}\n`);
    },
  );
  const behind = servingBehind(checkpoint, rows, timeout);
  const missing = rows.filter(({ state }) => state !== 'serving').map(({ process: name }) => name);
  const masks = await recordedMasks(client, manifest);
  const { version, changed, digest } = manifest;
  const text = `${activeText(manifest, masks)}\n${servingText(rows)}`;
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ checkpoint, version, changed, masks, digest, processes: rows, missing })}\n`
      : `${text}\n`,
  );
  if (behind === undefined) return;
  process.stderr.write(`${reportFailure(behind).text}\n`);
  process.exitCode = exitCodes.failed;
}

/** The masks of a manifest with what stands behind them, as far as the newest version tells of it. */
async function recordedMasks(
  client: FleetClient,
  { checkpoint, masks }: ManifestResponse,
): Promise<readonly (ActiveMask & VerifiedMask)[]> {
  const recorded: RecordedMask[] = [];
  for await (const entry of client.history(checkpoint, 1)) recorded.push(...entry.masks);
  return masks.map(
    (each) => recorded.find(({ concept, mask }) => concept === each.concept && mask === each.mask) ?? each,
  );
}

function activeText(
  { version, changed, checkpoint }: ManifestResponse,
  masks: readonly (ActiveMask & VerifiedMask)[],
): string {
  const named = masks.map((each) => `${each.concept} (${shortHash(each.mask)}${verifiedText(each)})`).join(', ');
  const what = `version ${version} of ${checkpoint.slice(0, 19)}: ${named === '' ? 'nothing is active' : `active: ${named}`}`;
  return changed ? what : `${what}; that was so already`;
}
