import { readFile } from 'node:fs/promises';
import { LetheError } from '../shared/error/lethe-error.ts';

/** The text of a campaign file. @throws LetheError `usage` if it cannot be read. */
export async function readCampaign(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new LetheError('usage', {
      what: 'cannot read the campaign',
      where: file,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name a campaign file; deploy/campaign/ has examples',
      cause,
    });
  }
}
