import type { Amount, Bill } from './bill.ts';

/** A bill as a table for people; one line a figure, no trailing line feed. The bill itself is its JSON. */
export function billText(bill: Bill): string {
  const { rates, reference } = bill;
  const rows: readonly (readonly string[])[] = [
    ['', 'to run', 'stored', 'total'],
    ['units', ...amount(bill.units, count)],
    ['UNet calls', ...amount(bill.unetCalls, count)],
    ['  in batches', ...amount(bill.unetBatches, count)],
    ['text encoder passes', ...amount(bill.textEncoderPasses, count)],
    ['partials', ...amount(bill.partialBytes, size)],
  ];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const table = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
  const workers = `${rates.workers} ${rates.measured ? '' : 'one-core '}worker${rates.workers === 1 ? '' : 's'}`;
  const basis = rates.measured ? 'measured' : 'reckoned from operations';
  const memory = bill.memory.map(({ gib, units }) => `${count(units)} of ${gib} GiB`).join(', ');
  const ratio = reference.ratio === undefined ? '' : `, ${reference.ratio.toFixed(1)} times as many`;
  return [
    `campaign ${bill.campaign}: ${bill.concepts} concept${bill.concepts === 1 ? '' : 's'}`,
    '',
    ...table,
    '',
    `time       about ${duration(bill.seconds)} on ${workers} (${basis})`,
    `memory     ${memory === '' ? 'none' : memory}`,
    `reference  ${count(reference.unetCalls)} UNet calls one concept at a time${ratio}`,
  ].join('\n');
}

function amount({ run, stored, total }: Amount, text: (value: number) => string): readonly string[] {
  return [text(run), text(stored), text(total)];
}

/** With thousands separated, the same in every locale. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}

function duration(seconds: number): string {
  const rounded = Math.round(seconds);
  if (rounded < 1) return seconds === 0 ? '0 s' : 'a second';
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  return `${Math.floor(rounded / 3600)} h ${Math.floor((rounded % 3600) / 60)} min`;
}
