import type { CheckedLog } from '../fleet/check-log.ts';
import { changeText } from './change-text.ts';
import { shortHash } from './figures.ts';
import { escaped } from './escape.ts';
import { type ListColumn, type ListOptions, printList } from './list.ts';

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

/** A record with what it changed. */
interface AuditRow {
  readonly link: CheckedLog['links'][number];
  readonly change: string;
}

/** Prints the log in the form that was asked for; for people with the verdict below. */
export function printAudit(given: ListOptions, log: CheckedLog & { readonly valid: boolean }): void {
  const { links, standing, trustedBy } = log;
  const rows: AuditRow[] = [];
  let before: NonNullable<AuditRow['link']['record']>['masks'] = [];
  for (const link of links) {
    rows.push({ link, change: link.record === undefined ? '-' : changeText(link.record, before) });
    before = link.record?.masks ?? before;
  }
  const faults = faultsOf(log);
  const verdict = faults.length === 0 ? 'the chain is whole' : `faults: ${faults.length}`;
  const said = `${verdict} (records: ${links.length}; checked by ${escaped(trustedBy)})${standingText(standing)}`;
  const name = ({ link }: AuditRow): string => link.hash;
  printList(given, { rows, columns, name, json: log, below: ['', said] });
}

const columns: readonly ListColumn<AuditRow>[] = [
  { heading: 'record', cell: ({ link }) => shortHash(link.hash) },
  { heading: 'version', cell: ({ link }) => String(link.record?.version ?? '-'), when: 'kept' },
  { heading: 'when', cell: ({ link }) => link.record?.when ?? '-', when: 'kept' },
  { heading: 'who', cell: ({ link }) => link.record?.who ?? '-' },
  { heading: 'change', cell: ({ change }) => change },
  { heading: 'why', cell: ({ link }) => link.record?.why ?? '-' },
  { heading: 'verification', cell: ({ link }) => verificationOf(link) },
  {
    heading: '',
    cell: ({ link: { faults } }) => (faults.length === 0 ? 'ok' : faults.map(({ kind }) => kind).join(', ')),
    when: 'kept',
  },
];

function verificationOf({ record }: AuditRow['link']): string {
  if (record === undefined) return '-';
  const verified = record.masks.map(({ concept, verification }) =>
    verification === undefined ? `${concept}: none` : `${concept}: ${shortHash(verification)}`,
  );
  return verified.join(', ');
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
