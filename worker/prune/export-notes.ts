import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What an export says of itself, as lethe.json. */
export interface ExportNotes {
  readonly lethe: string;
  /** Id of the checkpoint that was pruned. */
  readonly checkpoint: string;
  readonly fill: string;
  readonly masks: readonly { readonly mask: string; readonly concepts: readonly string[] }[];
}

/** A warning that belongs to zeros; undefined for noise. */
export function fillWarning(fill: string): string | undefined {
  if (fill !== 'zero') return undefined;
  return 'zeros show which weights were pruned, and who knows that can bring a concept back: --fill noise does not';
}

/** Writes lethe.json, and a section into the model card. Pictures in the card were made by the unpruned model: they go. */
export async function writeExportNotes(folder: string, notes: ExportNotes): Promise<void> {
  const notesPath = join(folder, 'lethe.json');
  // Of an export that is exported again: it may be a link to the checkpoint's own file, which writing would change.
  await rm(notesPath, { force: true });
  await writeFile(notesPath, `${JSON.stringify(notes, undefined, 2)}\n`);
  const path = join(folder, 'README.md');
  const card = await readFile(path, 'utf8').catch(() => '');
  const warning = fillWarning(notes.fill);
  const section = [
    '## Pruned with Lethe',
    '',
    `Weights of this checkpoint were pruned, and filled with ${notes.fill}. \`lethe.json\` says by which masks:`,
    '',
    ...notes.masks.map(
      ({ mask, concepts }) => `- ${concepts.map((name) => JSON.stringify(name)).join(', ')}: mask ${mask}`,
    ),
    ...(warning === undefined ? [] : ['', `Note: ${warning}.`]),
    '',
  ];
  // The card may be a link to the checkpoint's own file.
  await rm(path, { force: true });
  const kept = card
    .replaceAll(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/<img\b[^>]*>/gi, '')
    .trimEnd();
  await writeFile(path, `${kept === '' ? '' : `${kept}\n\n`}${section.join('\n')}`);
}
