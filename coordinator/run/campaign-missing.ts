import { LetheError } from '../../shared/error/lethe-error.ts';

/** A campaign that no entry is of. */
export function missing(campaign: string): LetheError {
  return new LetheError('campaign-missing', {
    what: 'cannot find the campaign',
    where: campaign,
    why: 'no campaign of this id was submitted',
    next: 'run `lethe status` for those there are',
  });
}
