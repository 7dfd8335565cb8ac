import type { Command, Option } from 'commander';

/** A word that can be completed, and what it means. */
export interface CompletionWord {
  readonly word: string;
  readonly about: string;
}

/** An option of a command, by its names. */
export interface CompletionOption {
  readonly names: readonly string[];
  readonly about: string;
  /** `none` for a flag; `choices` where there are only so many; `any` for a file, a folder, a number. */
  readonly value: { readonly kind: 'none' | 'any' } | { readonly kind: 'choices'; readonly choices: readonly string[] };
}

/** What can follow a command's name. */
export interface CompletionPlace {
  /** Names from the root on: `lethe keys list`. */
  readonly path: string;
  readonly subcommands: readonly CompletionWord[];
  /** What its first argument can be, where that is one of a few. */
  readonly choices: readonly string[];
  readonly options: readonly CompletionOption[];
}

/** Every command of a program whose commands are all loaded, itself first. */
export function completionPlaces(command: Command, before = ''): readonly CompletionPlace[] {
  const path = before === '' ? command.name() : `${before} ${command.name()}`;
  const help = command.createHelp();
  const subcommands = command.commands.map((each) => ({ word: each.name(), about: each.description() }));
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  const options = help.visibleOptions(command).map(optionOf);
  const place = { path, subcommands, choices, options };
  return [place, ...command.commands.flatMap((each) => completionPlaces(each, path))];
}

function optionOf({ short, long, description, required, optional, argChoices }: Option): CompletionOption {
  const names = [short, long].filter((name) => name !== undefined);
  const kind = required || optional ? 'any' : 'none';
  const value = argChoices === undefined ? ({ kind } as const) : ({ kind: 'choices', choices: argChoices } as const);
  return { names, about: description, value };
}

/** Text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
