import { afterEach, expect, it } from 'vitest';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { type LoggedProcess, startCoordinator, startWorker } from './processes.spec-support.ts';
import { campaignText, SweepClient, unetCalls } from './sweep.spec-support.ts';

await describeWithServer('a sweep', (server) => {
  const processes: LoggedProcess[] = [];
  afterEach(async () => {
    for (const each of processes.splice(0)) await each.kill();
  });

  it('ends with a mask for every concept', async () => {
    const { process, address } = await startCoordinator('c1', server.running.address('c1'));
    processes.push(process, startWorker('w1', [address]));
    const client = new SweepClient(address);
    const { campaign, plan } = await client.submit(campaignText());
    const masks = await client.masks(campaign);
    console.log(plan, masks, await unetCalls(await server.connect()));
    client.close();
    expect(Object.keys(masks)).toEqual(['Neon', 'Poster']);
  });
});
