import { Fleet } from '../fleet-processes/fleet.ts';
import type { LogLine } from '../fleet-processes/logged-process.ts';

/** Two styles that share their base cohort, on emoji-sd, three prompts, three steps. */
export function campaignText(settings: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    name: 'tiny',
    sampling: { steps: 20, guidance: 2.5 },
    tau: 3,
    batch: 2,
    mask: { sites: { ffn2: { skill_ratio: 0.05 }, 'attn-value': { skill_ratio: 0.1, selection: 'contrast' } } },
    prompts: { things: ['a picture of a cat', 'a picture of a dog', 'a picture of an owl'] },
    concepts: [
      { name: 'Neon', kind: 'style', things: 'things', phrase: 'in the style of Neon' },
      { name: 'Poster', kind: 'style', things: 'things', phrase: 'in the style of Poster' },
    ],
    ...settings,
  });
}

/** Milliseconds a silent lease lasts here: short, so that what was killed is noticed soon. */
const leaseMs = 3_000;

/** A fleet of workers of one numerics class on whatever machine. @param nats a program in the place of nats-server */
export function startFleet(nats?: string): Promise<Fleet> {
  return Fleet.start(
    {
      coordinator: ['--lease', String(leaseMs), '--log-level', 'debug', '--score-threads', '1'],
      worker: ['--device', 'spec', '--slots', '1'],
    },
    nats,
  );
}

/** Lines of a coordinator's log: a unit was leased to a worker, a result was committed. */
export const isLease =
  (worker: string) =>
  (line: LogLine): boolean =>
    line.msg === 'lease' && line['worker'] === worker;
export const isResult = (line: LogLine): boolean => line.msg === 'result';
