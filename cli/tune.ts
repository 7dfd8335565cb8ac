import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parseCampaign } from '../coordinator/plan/parse-campaign.ts';
import { campaignId } from '../coordinator/store/campaign-entry.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { coordinatorOption, dataOption } from './fleet/fleet-settings.ts';
import { type ImageOptions, type ImageSession, withImageSession } from './fleet/image-session.ts';
import * as options from './options.ts';
import { exitCodes } from './output/failure.ts';
import { readCampaign } from './read-campaign.ts';
import { CandidateMasks } from './tuning/candidate-masks.ts';
import { prepareGroup, type TuningBench, tuneGroup } from './tuning/tune-group.ts';
import { type TunedGroup, tunedText } from './tuning/tuned-group.ts';
import { tradeOffOf, tuningReport } from './tuning/tuning-report.ts';
import { writeTuning } from './tuning/write-tuning.ts';
import { workersOption } from './up.ts';
import { type CampaignVerification, campaignToVerify, verifyCampaign } from './verification/verify-campaign.ts';
import { print, printJson } from './output/print.ts';

interface TuneOptions extends ImageOptions {
  readonly budget?: number;
  /** Whether the winners are verified; not with --no-verify. */
  readonly verify: boolean;
}

export function tuneCommand(): Command {
  return new Command('tune')
    .argument('<campaign.yaml>', 'with a tune section (docs/guide/verify-and-tune.md)')
    .addOption(
      new Option('--budget <n>', 'images that may be made for each group (default: tune.budget)').argParser(
        options.integer(1, 10_000_000),
      ),
    )
    .option('--no-verify', 'leave the winners unverified')
    .addOption(workersOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Masks of every candidate come from stored statistics; images are made on the fleet and kept, so the same command goes on
where an earlier one ended. Writes a report, the trade-off curve and, for each group, the campaign that makes the winner's
masks. That campaign is verified at the end, as by \`lethe verify\`, on images by which nothing was chosen: they are not
of the budget. With --json the result is one object on stdout, and what happens until then an object a line on stderr.
Exit code 0 if every winner's verification holds, 1 if one does not, 2 for a campaign that cannot be tuned; with --no-verify
1 if no mask met the thresholds on the validation images.

Example:
  $ lethe tune deploy/campaign/emoji-tune.yaml --workers 2`,
    )
    .action(async (file: string, given: TuneOptions) => {
      await tune(file, given);
    });
}

async function tune(file: string, given: TuneOptions): Promise<void> {
  const text = await readCampaign(file);
  const campaign = parseCampaign(text, file);
  const { tune: section, concepts } = campaign;
  if (section === undefined)
    throw new LetheError('campaign-invalid', {
      what: 'cannot tune the campaign',
      where: file,
      why: 'it has no tune section',
      next: 'say which images and labels show its concepts; docs/guide/verify-and-tune.md has an example',
    });
  const budget = given.budget ?? section.budget;
  const groups = groupsOf(
    concepts.map(({ name }) => name),
    section.together ?? [],
  );
  await withImageSession(
    campaign,
    text,
    file,
    given,
    (heads) => groups.map((group) => prepareGroup(campaign, section, group, heads, file, budget)),
    async (session, prepared) => {
      const id = campaignId(campaign.name, text);
      const folder = join(session.settings.data, 'tuning', id);
      const masks = new CandidateMasks(session, join(folder, 'masks'), text, file);
      const bench: TuningBench = { campaign, tune: section, text, session, masks, folder };
      const tuned: TunedGroup[] = [];
      for (const group of prepared) tuned.push(await tuneGroup(bench, group));
      const data = tuningReport(campaign, section, budget, id, file, new Date().toISOString(), tuned);
      const found = await writeTuning(folder, id, tuned, data);
      session.clear();
      if (given.json !== true) print(`${tuned.map(tunedText).join('\n\n')}\n\nreport      ${found.report}`);
      const verified = given.verify ? await confirm(session, tuned, given) : [];
      session.clear();
      if (given.json === true) printJson({ ...found, verified: verified.map(({ json }) => json) });
      const holds = given.verify
        ? verified.every(({ verification }) => verification.passed)
        : tuned.every(({ certainty }) => certainty !== 'missed');
      if (!holds) process.exitCode = exitCodes.failed;
    },
  );
}

/** Verifies the winners, each group by the campaign that makes its masks: on images by which nothing was chosen. */
async function confirm(
  session: ImageSession,
  groups: readonly TunedGroup[],
  { json }: TuneOptions,
): Promise<readonly CampaignVerification[]> {
  const { heads } = session.classifier.file;
  const all: CampaignVerification[] = [];
  for (const group of groups) {
    const { file, text } = group.campaign;
    session.tell(`verifying ${group.concepts.join(' + ')}: ${file}`);
    const campaign = campaignToVerify(text, file, parseCampaign(text, file), undefined, heads);
    const verified = await verifyCampaign(session, campaign, undefined, [tradeOffOf(group)]);
    session.clear();
    if (json !== true) print(`\n${verified.text}`);
    all.push(verified);
  }
  return all;
}

/** Concepts that are active together, and every other by itself. */
function groupsOf(
  concepts: readonly string[],
  together: readonly (readonly string[])[],
): readonly (readonly string[])[] {
  const grouped = new Set(together.flat());
  return [...together, ...concepts.filter((name) => !grouped.has(name)).map((name) => [name])];
}
