import { linesOf, type Problem } from '../../shared/config/problem.ts';
import { schemaProblems } from '../../shared/config/schema-problems.ts';
import { readYaml } from '../../shared/config/yaml-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { meaningProblems } from './campaign-meaning.ts';
import { campaignSchema, knownKeys } from './campaign-schema.ts';
import type { Campaign } from './campaign.ts';
import { expandCampaign } from './expand-campaign.ts';

/** More are counted, not listed: whoever wrote them starts from the top. */
const listed = 500;

/** Characters of a problem: some of YAML's quote what they found. */
const longest = 400;

/**
 * Reads a campaign file (docs/guide/campaign.md). Pure: the checkpoint's path is left as written.
 *
 * @param path of the file, for messages.
 * @throws LetheError `campaign-invalid` whose `why` has one line a problem, `line:column key: problem`, in the order of
 *   the file: all of them, of syntax, of form and of meaning. Nothing else is thrown.
 */
export function parseCampaign(text: string, path: string): Campaign {
  const file = readYaml(text);
  if (file.value === undefined) throw refusal(text, path, file.problems);
  const parsed = campaignSchema.safeParse(file.value, { reportInput: true });
  const form = parsed.success ? [] : schemaProblems(parsed.error, file, knownKeys);
  const problems = [...file.problems, ...form, ...meaningProblems(file)];
  if (!parsed.success || problems.length > 0) throw refusal(text, path, problems);
  return expandCampaign(parsed.data);
}

function refusal(text: string, path: string, problems: readonly Problem[]): LetheError {
  const positionOf = linesOf(text);
  const sorted = [...problems].sort((a, b) => a.offset - b.offset);
  const lines = sorted.slice(0, listed).map(({ offset, key, problem }) => {
    const { line, column } = positionOf(offset);
    return `${line}:${column} ${key === '' ? '' : `${key}: `}${problem.slice(0, longest)}`;
  });
  if (sorted.length > listed) lines.push(`and ${sorted.length - listed} more`);
  return new LetheError('campaign-invalid', {
    what: 'cannot read the campaign',
    where: path,
    why: [...new Set(lines)].join('\n'),
    next: 'correct these lines; docs/guide/campaign.md has an annotated example',
  });
}
