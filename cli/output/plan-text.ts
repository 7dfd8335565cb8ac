import type { PlanResponse } from '../../gen/fleet/v1/campaign.ts';
import { countOf, duration } from './figures.ts';

/** What a campaign would cost, for people. */
export function planText(campaign: string, concepts: number, plan: PlanResponse): string {
  const { units, done, unetCalls, totalUnetCalls, referenceUnetCalls, workerSeconds, numerics, leftOut, warnings } =
    plan;
  const ratio = totalUnetCalls === 0 ? '' : `, ${(referenceUnetCalls / totalUnetCalls).toFixed(1)} times as many`;
  return [
    `campaign ${campaign}: ${concepts} concept${concepts === 1 ? '' : 's'}`,
    '',
    `units       ${countOf(units - done)} to run, ${countOf(done)} stored`,
    `UNet calls  ${countOf(unetCalls)} to make of ${countOf(totalUnetCalls)}`,
    `reference   ${countOf(referenceUnetCalls)} UNet calls one concept at a time${ratio}`,
    `time        ${workerSeconds === undefined ? 'not known' : `about ${duration(workerSeconds)} on one worker`}`,
    `numerics    ${numerics === '' ? 'of the first worker that can run it' : numerics}`,
    ...leftOut.map(({ worker, reason }) => `left out    ${worker}: ${reason}`),
    ...warnings.map((warning) => `warning     ${warning}`),
  ].join('\n');
}
