import { type CompletionPlace, quoted } from './completion-words.ts';

/** For bash: words of the command that the line has come to; file names where an option or an argument takes any. */
export function bashCompletion(places: readonly CompletionPlace[]): string {
  const [, ...commands] = places;
  return `# bash completion for lethe: eval "$(lethe completion bash)"
_lethe() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at=lethe words= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${commands.map(({ path }) => quoted(path)).join('|')}) at="$at $word" ;;
    esac
  done
  case "$at $prev" in
${places.flatMap(valueCases).join('\n')}
  esac
  case "$at" in
${places.map(wordCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _lethe lethe ./lethe`;
}

/** After an option that takes a value: what it can be, or nothing, for which bash takes file names. */
function valueCases({ path, options }: CompletionPlace): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value.kind === 'none') return [];
    const after = names.map((name) => quoted(`${path} ${name}`)).join('|');
    const words =
      value.kind === 'choices' ? `COMPREPLY=($(compgen -W ${quoted(value.choices.join(' '))} -- "$cur")); ` : '';
    return [`    ${after}) ${words}return ;;`];
  });
}

function wordCase({ path, subcommands, choices, options }: CompletionPlace): string {
  const names = options.flatMap((option) => option.names).join(' ');
  const words = [...subcommands.map(({ word }) => word), ...choices].join(' ');
  return `    ${quoted(path)}) if [[ $cur == -* ]]; then words=${quoted(names)}; else words=${quoted(words)}; fi ;;`;
}
