import { type CompletionPlace, type CompletionWord, quoted } from './completion-words.ts';

/** For zsh: words with what they mean; file names where an option or an argument takes any. */
export function zshCompletion(places: readonly CompletionPlace[]): string {
  const [, ...commands] = places;
  return `#compdef lethe
# zsh completion for lethe: eval "$(lethe completion zsh)"
_lethe() {
  local at=lethe word prev=\${words[CURRENT-1]}
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
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
  if (( $#found )); then _describe lethe found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _lethe lethe ./lethe`;
}

function valueCases({ path, options }: CompletionPlace): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value.kind === 'none') return [];
    const after = names.map((name) => quoted(`${path} ${name}`)).join('|');
    return [`    ${after}) ${value.kind === 'choices' ? `compadd ${value.choices.join(' ')}` : '_files'}; return ;;`];
  });
}

function wordCase({ path, subcommands, choices, options }: CompletionPlace): string {
  const flags = options.flatMap(({ names, about }) => names.map((word) => ({ word, about })));
  const words = [...subcommands, ...choices.map((word) => ({ word, about: '' }))];
  return `    ${quoted(path)}) if [[ $PREFIX == -* ]]; then found=(${described(flags)}); else found=(${described(words)}); fi ;;`;
}

/** As _describe takes them: a colon ends the word. */
const described = (words: readonly CompletionWord[]): string =>
  words.map(({ word, about }) => quoted(about === '' ? word : `${word}:${about}`)).join(' ');
