import { readTextFile } from '../shared/checkpoint/text-file.ts';
import { LetheError } from '../shared/error/lethe-error.ts';

/** Far above a campaign of every prompt that a plan can hold in memory. */
const campaignLimit = 64 * 2 ** 20;

/** The text of a campaign file. @throws LetheError `usage` if it cannot be read, or is not UTF-8. */
export function readCampaign(file: string): Promise<string> {
  return readTextFile(file, { limit: campaignLimit, byteOrderMark: 'dropped' }, (why, cause, place = '') => {
    return new LetheError('usage', {
      what: 'cannot read the campaign',
      where: `${file}${place}`,
      why,
      next: 'name a campaign file; deploy/campaign/ has examples',
      cause,
    });
  });
}
