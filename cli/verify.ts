import { Command, Option } from 'commander';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import { coordinatorOption, dataOption } from './fleet/fleet-settings.ts';
import { type ImageOptions, withImageSession } from './fleet/image-session.ts';
import * as options from './options.ts';
import { exitCodes } from './output/failure.ts';
import { readCampaign } from './read-campaign.ts';
import { workersOption } from './up.ts';
import { campaignToVerify, verifyCampaign } from './verification/verify-campaign.ts';
import { printResult } from './output/print.ts';

interface VerifyOptions extends ImageOptions {
  readonly masks?: readonly string[];
  readonly images?: number;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .argument('<campaign.yaml>', 'the campaign, with its section verify (docs/guide/campaign.md)')
    .option('--masks <mask...>', "hashes or concepts (default: the campaign's masks, which are made if need be)")
    .addOption(
      new Option('--images <n>', 'test images of each target, and as many of the rest').argParser(
        options.integer(1, 100_000),
      ),
    )
    .addOption(workersOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
UA: share of the target's images that are no longer recognised as it. IRA, CRA: how well the rest is recognised, by the
target's own head and by the others, as a share of before. All with 95 % intervals.
Writes a report: one HTML file with the images, in the folder of the fleet's data. What came of each mask is recorded for
\`lethe apply\`, unless --images is less than the campaign asks for. With --json the result is one object on stdout, and what
happens until then an object a line on stderr.
Exit code 0 if every threshold of the campaign holds, 1 if one does not or cannot be tested, 2 for bad input.

Example:
  $ lethe verify deploy/campaign/emoji-demo.yaml --workers 2`,
    )
    .action(async (file: string, given: VerifyOptions) => {
      await verify(file, given);
    });
}

async function verify(file: string, given: VerifyOptions): Promise<void> {
  const yaml = await readCampaign(file);
  const written = parseCampaign(yaml, file);
  await withImageSession(
    written,
    yaml,
    file,
    given,
    (heads) => campaignToVerify(yaml, file, written, given.images, heads),
    async (session, campaign) => {
      const { verification, text, json } = await verifyCampaign(session, campaign, given.masks);
      session.clear();
      printResult(given, json, text);
      if (!verification.passed) process.exitCode = exitCodes.failed;
    },
  );
}
