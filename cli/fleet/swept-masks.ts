import { LetheError } from '../../shared/error/lethe-error.ts';
import { followCampaign } from './follow-campaign.ts';
import type { ImageSession } from './image-session.ts';
import { errorOfFailure } from './remote-error.ts';

/** A campaign as it is swept: its text, and how it is known. */
export interface SweptText {
  readonly yaml: string;
  /** Its path, for messages. */
  readonly source: string;
  /** Whether its masks are to be tried, and not to be found by their concepts. */
  readonly trial: boolean;
}

/** A mask that a campaign has made. */
export interface SweptMask {
  readonly concept: string;
  readonly hash: string;
}

/**
 * The masks of a campaign; what of it is not there is made first.
 *
 * @throws LetheError of the campaign, or of the first of its concepts that has no mask; `unit-stopped` at the signal.
 */
export async function sweptMasks(session: ImageSession, text: SweptText): Promise<readonly SweptMask[]> {
  const { client, progress, signal, comesBack } = session;
  const { campaign } = await client.submit(text);
  const state = await followCampaign(client, campaign, progress, signal, comesBack);
  // Images are drawn next, with a bar of their own.
  progress.stop();
  if (state === undefined) throw stopped(campaign);
  if (state.failure !== undefined) throw errorOfFailure(state.failure);
  return state.concepts.map(({ concept, state: end }) => {
    if (end?.$case === 'mask') return { concept, hash: end.value };
    throw end?.$case === 'failure' ? errorOfFailure(end.value) : missing(campaign, concept);
  });
}

function stopped(campaign: string): LetheError {
  return new LetheError('unit-stopped', {
    what: 'no longer waiting for the masks',
    where: campaign,
    why: 'it was asked to stop',
    next: 'run the command again: it goes on from there',
  });
}

function missing(campaign: string, concept: string): LetheError {
  return new LetheError('campaign-failed', {
    what: `there is no mask of ${concept}`,
    where: campaign,
    why: 'the campaign ended without it',
    next: "look at the coordinator's log",
  });
}
