import type { PlanResponse } from '../../gen/fleet/v1/campaign.ts';
import { escaped } from './escape.ts';
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
    `numerics    ${numerics === '' ? 'of the first worker that can run it' : escaped(numerics)}`,
    ...leftOut.map(({ worker, reason }) => escaped(`left out    ${worker}: ${reason}`)),
    ...warnings.map((warning) => escaped(`warning     ${warning}`)),
  ].join('\n');
}
