import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach } from 'vitest';
import type { TestServer } from '../../shared/bus/test-server.spec-support.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import { fileKeyring } from '../publish/keyring.ts';
import { type CoordinatorSetup, type RunningCoordinator, startCoordinator } from './coordinator.ts';

/** Starts coordinators without checkpoints or signing key on a server; they end with the spec that started them. */
export function coordinatorsOn(
  server: TestServer,
): (name?: string, setup?: Partial<CoordinatorSetup>) => Promise<RunningCoordinator> {
  const open: RunningCoordinator[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  return async (name = 'c1', setup = {}) => {
    const whole: CoordinatorSetup = {
      name,
      listen: '127.0.0.1:0',
      security: { kind: 'plain-text-loopback' },
      replicas: 1,
      leaseMs: 2_000,
      checkpoints: [],
      scoreThreads: 1,
      keyring: fileKeyring(undefined, undefined),
      fleetKey: undefined,
      registry: new Registry(),
      ...setup,
    };
    const coordinator = await startCoordinator(whole, await server.connect(), pino({ level: 'silent' }));
    open.push(coordinator);
    return coordinator;
  };
}

/** The first state of a campaign that matches; its end, if nothing else is asked for. */
export async function until(
  { desk }: RunningCoordinator,
  campaign: string,
  matches: (state: CampaignState) => boolean = ({ ended }) => ended,
): Promise<CampaignState> {
  for await (const state of desk.watch(campaign, new AbortController().signal)) if (matches(state)) return state;
  throw new Error('it ended before that');
}
