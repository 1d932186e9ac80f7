/** Completion for bash: one function that finds the verb and offers its words. */
import { type CommandModel, flags, flatten } from './model.js';

export function bashScript(program: CommandModel): string {
  const all = flatten(program);
  const verbs = all.filter(([path]) => path.length > 0).map(([path]) => path.join(' '));
  return `# bash completion of thplab; in ~/.bashrc: source <(thplab completion bash)
_thplab() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb='' word words='' values
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${verb:+$verb }$word" in
${verbs.map((verb) => `      ${quote(verb)}) verb=${quote(verb)} ;;`).join('\n')}
    esac
  done
  case "$verb $prev" in
${valueCases(all)}
  esac
  if [[ -n \${values+set} ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
    return
  fi
  case "$verb" in
${all.map(([path, command]) => `    ${quote(path.join(' '))}) words=${quote(wordsOf(command))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ $cur != -* && -n $verb ]]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _thplab thplab
`;
}

function wordsOf(command: CommandModel): string {
  return [...command.commands.map(({ name }) => name), ...command.argumentValues, ...flags(command)].join(' ');
}

function valueCases(all: readonly (readonly [readonly string[], CommandModel])[]): string {
  return all
    .flatMap(([path, command]) =>
      command.options.flatMap(({ short, long, values }) => {
        if (values === null || values.length === 0) return [];
        const names = [short, long].filter((name) => name !== null).map((name) => quote(`${path.join(' ')} ${name}`));
        return [`    ${names.join('|')}) values=${quote(values.join(' '))} ;;`];
      }),
    )
    .join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
