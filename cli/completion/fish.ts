import { type CompletionOption, type CompletionPlace, quoted } from './completion-words.ts';

/** For fish, which completes file names by itself where nothing here says otherwise. */
export function fishCompletion(places: readonly CompletionPlace[]): string {
  return ['# fish completion for lethe: lethe completion fish | source', ...places.flatMap(linesOf)].join('\n');
}

function linesOf({ path, subcommands, choices, options }: CompletionPlace): readonly string[] {
  const [, ...names] = path.split(' ');
  const here = names.map((name) => `__fish_seen_subcommand_from ${name}`);
  const words = subcommands.map(({ word }) => word);
  const before = words.length === 0 ? [] : [`not __fish_seen_subcommand_from ${words.join(' ')}`];
  const line = (rest: string): string => `complete -c lethe -n ${quoted([...here, ...before].join('; and '))} ${rest}`;
  return [
    ...subcommands.map(({ word, about }) => line(`-f -a ${word} -d ${quoted(about)}`)),
    ...choices.map((word) => line(`-f -a ${word}`)),
    ...options.map((option) => line(`${namesOf(option)} ${valueOf(option)}-d ${quoted(option.about)}`)),
  ];
}

const namesOf = ({ names }: CompletionOption): string =>
  names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');

function valueOf({ value }: CompletionOption): string {
  if (value.kind === 'none') return '';
  return value.kind === 'choices' ? `-x -a ${quoted(value.choices.join(' '))} ` : '-r ';
}
