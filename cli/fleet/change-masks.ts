import { Option } from 'commander';
import type { ActiveMask, ManifestResponse, RecordedMask } from '../../gen/fleet/v1/mask.ts';
import { exitCodes, reportFailure } from '../output/failure.ts';
import { shortHash } from '../output/figures.ts';
import { differenceText, maskDifference } from '../output/mask-difference.ts';
import { servingBehind, servingText } from '../output/serving-rows.ts';
import { type VerifiedMask, verifiedText } from '../output/verified-text.ts';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import { awaitServing, type ServingRow } from './await-serving.ts';
import type { FleetClient } from './fleet-client.ts';
import { escaped } from '../output/escape.ts';
import { printResult, printTo, tellLine } from '../output/print.ts';

/** What apply, restore and rollback are told beside the change. */
export interface ChangeOptions {
  readonly timeout: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const dryRunOption = (): Option =>
  new Option('--dry-run', 'print what would change, and what would be refused; nothing changes');

/** What came of a change. */
export interface MaskChange {
  readonly manifest: ManifestResponse;
  /** A row a process that serves. */
  readonly processes: readonly ServingRow[];
  /** Names of those that have not taken it over. */
  readonly missing: readonly string[];
  /** The error that says so; undefined if all have. */
  readonly behind: LetheError | undefined;
}

/**
 * Makes a change, and waits until the processes that serve have taken it over.
 *
 * @param timeout seconds that they have for it
 */
export async function madeChange(
  client: FleetClient,
  checkpoint: string,
  change: () => Promise<ManifestResponse>,
  timeout: number,
): Promise<MaskChange> {
  const before = (await client.serving(checkpoint)).processes;
  const manifest = await change();
  const tell = ({ process: name, seconds }: ServingRow): void => {
    if (process.stderr.isTTY)
      tellLine(`${name} serves by it${seconds === undefined ? '' : ` (${seconds.toFixed(1)} s)`}`);
  };
  const processes = await awaitServing(client, checkpoint, manifest, before, timeout * 1000, tell);
  const missing = processes.filter(({ state }) => state !== 'serving').map(({ process: name }) => name);
  return { manifest, processes, missing, behind: servingBehind(checkpoint, processes, timeout) };
}

/**
 * Makes a change, waits for it, and prints what is active and a row a process. The exit code is 1 if some are behind. A dry run
 * prints the difference.
 */
export async function changeMasks(
  client: FleetClient,
  checkpoint: string,
  change: (dryRun: boolean) => Promise<ManifestResponse>,
  { timeout, dryRun, json }: ChangeOptions,
): Promise<void> {
  if (dryRun === true) {
    await printDifference(client, checkpoint, await change(true), json === true);
    return;
  }
  const { manifest, processes, missing, behind } = await madeChange(client, checkpoint, () => change(false), timeout);
  const masks = await recordedMasks(client, manifest);
  const { version, changed, digest } = manifest;
  const text = `${activeText(manifest, masks)}\n${servingText(processes)}`;
  printResult({ json }, { checkpoint, version, changed, masks, digest, processes, missing }, text);
  if (behind === undefined) return;
  printTo(process.stderr, reportFailure(behind).text);
  process.exitCode = exitCodes.failed;
}

/** What a change would do to what is active now. */
async function printDifference(
  client: FleetClient,
  checkpoint: string,
  after: ManifestResponse,
  json: boolean,
): Promise<void> {
  const found: ManifestResponse[] = [];
  for await (const each of client.active()) if (each.checkpoint === checkpoint) found.push(each);
  const [before] = found;
  const difference = maskDifference(before?.masks ?? [], after.masks);
  const { version } = after;
  const from = before?.version ?? 0;
  const value = { checkpoint, dryRun: true, from, version, changed: after.changed, ...difference };
  printResult({ json }, value, differenceText(checkpoint, from, after, difference));
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
  const named = masks
    .map((each) => escaped(`${each.concept} (${shortHash(each.mask)}${verifiedText(each)})`))
    .join(', ');
  const what = `version ${version} of ${checkpoint.slice(0, 19)}: ${named === '' ? 'nothing is active' : `active: ${named}`}`;
  return changed ? what : `${what}; that was so already`;
}
