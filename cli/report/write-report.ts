import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReportData } from './report-data.ts';
import { makeFolder } from '../../shared/lock/make-folder.ts';

/**
 * Writes a report into a folder of its own. Nobody else may read it: it shows what is to be forgotten, and where weights
 * are pruned.
 *
 * @returns its path.
 */
export async function writeReport(folder: string, data: ReportData): Promise<string> {
  const path = join(folder, 'report.html');
  // Charts are large: a command that does not come to write a report does not load them.
  const { renderReport } = await import('./render-report.ts');
  await makeFolder(folder);
  await writeFile(path, renderReport(data), { mode: 0o600 });
  return path;
}
