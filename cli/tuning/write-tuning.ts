import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeReport } from '../report/write-report.ts';
import type { ReportData } from '../report/report-data.ts';
import { type TunedGroup, tunedJson } from './tuned-group.ts';

/**
 * Keeps what tuning has found: the report, the trade-off curve as JSON, and each group's campaign. Nobody else may read
 * them: they say where weights are pruned.
 *
 * @param folder of the campaign's tuning
 * @returns what --json prints.
 */
export async function writeTuning(
  folder: string,
  campaign: string,
  groups: readonly TunedGroup[],
  data: ReportData,
): Promise<Readonly<Record<string, unknown>> & { readonly report: string }> {
  const report = await writeReport(folder, data);
  const json = { campaign, groups: groups.map(tunedJson), report };
  const write = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: 0o600 });
  for (const { campaign: winner } of groups) await write(winner.file, winner.text);
  await write(join(folder, 'trade-off.json'), `${JSON.stringify(json, undefined, 2)}\n`);
  return json;
}
