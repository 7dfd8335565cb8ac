import type { CheckedLog } from '../fleet/check-log.ts';
import { changeText } from './change-text.ts';
import { shortHash } from './figures.ts';
import { table } from './table.ts';

/** Everything that is wrong with an audit log, each with the record it is about. */
export function faultsOf({ links, standing }: CheckedLog): readonly string[] {
  const inChain = links.flatMap(({ sequence, hash, faults }) =>
    faults.map(({ kind, why }) => `record ${sequence} (${shortHash(hash)}) ${kind}: ${why}`),
  );
  switch (standing.kind) {
    case 'refused':
      return [...inChain, `the manifest that is published is refused, ${standing.reason}: ${standing.why}`];
    case 'without-record':
      return [...inChain, `the manifest of version ${standing.version} is not backed by the log: ${standing.why}`];
    case 'stale':
      return [
        ...inChain,
        `${standing.published === undefined ? 'no manifest is published' : `the manifest of version ${standing.published} is published`}, and version ${standing.version} was decided more than one change ago: it was put back or removed`,
      ];
    default:
      return inChain;
  }
}

export function auditText(log: CheckedLog): string {
  const { links, standing, trustedBy } = log;
  const rows: string[][] = [];
  let before: NonNullable<(typeof links)[number]['record']>['masks'] = [];
  for (const { hash, record, faults } of links) {
    const state = faults.length === 0 ? 'ok' : faults.map(({ kind }) => kind).join(', ');
    if (record === undefined) {
      rows.push([shortHash(hash), '-', '-', '-', '-', '-', '-', state]);
      continue;
    }
    const verified = record.masks.map(({ concept, verification }) =>
      verification === undefined ? `${concept}: none` : `${concept}: ${shortHash(verification)}`,
    );
    const { version, when, who, why } = record;
    rows.push([
      shortHash(hash),
      String(version),
      when,
      who,
      changeText(record, before),
      why,
      verified.join(', '),
      state,
    ]);
    before = record.masks;
  }
  const heading = ['record', 'version', 'when', 'who', 'change', 'why', 'verification', ''];
  const faults = faultsOf(log);
  const verdict = faults.length === 0 ? 'the chain is whole' : `faults: ${faults.length}`;
  return [
    table([heading, ...rows]),
    '',
    `${verdict} (records: ${links.length}; checked by ${trustedBy})${standingText(standing)}`,
  ].join('\n');
}

function standingText(standing: CheckedLog['standing']): string {
  switch (standing.kind) {
    case 'in-step':
      return `; version ${standing.version} is published`;
    case 'unpublished':
      return `; version ${standing.version} is decided and not published yet: ${standing.published === undefined ? 'nothing is' : `version ${standing.published} is`}`;
    default:
      return '';
  }
}
