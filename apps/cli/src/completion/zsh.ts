/** Completion for zsh: one function per command, made of _arguments. */
import { type CommandModel, flatten, type OptionModel } from './model.js';

export function zshScript(program: CommandModel): string {
  const functions = flatten(program).map(([path, command]) => functionOf(path, command));
  return `#compdef thplab
# zsh completion of thplab; in ~/.zshrc: source <(thplab completion zsh)
${functions.join('\n')}
compdef _thplab thplab
`;
}

function functionName(path: readonly string[]): string {
  return ['_thplab', ...path].join('_').replaceAll('-', '_');
}

function functionOf(path: readonly string[], command: CommandModel): string {
  const options = command.options.flatMap(optionSpecs).map((spec) => `    ${quote(spec)}`);
  if (command.commands.length === 0) {
    const last =
      command.argumentValues.length > 0 ? `'1:value:(${command.argumentValues.join(' ')})'` : "'*:file:_files'";
    return `${functionName(path)}() {\n  _arguments -s \\\n${[...options, `    ${last}`].join(' \\\n')}\n}`;
  }
  const names = command.commands.map(({ name, text }) => `      ${quote(`${name}:${text}`)}`);
  const cases = command.commands.map(({ name }) => `      ${name}) ${functionName([...path, name])} ;;`);
  return `${functionName(path)}() {
  local line state
  local -a verbs=(
${names.join('\n')}
  )
  _arguments -C \\
${options.join(' \\\n')} \\
    '1: :->verb' \\
    '*:: :->rest'
  case $state in
    verb) _describe verb verbs ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

function optionSpecs({ short, long, text, values }: OptionModel): readonly string[] {
  const value = values === null ? '' : values.length > 0 ? `:value:(${values.join(' ')})` : ':value:_files';
  const rest = `[${text.replace(/[[\]:]/g, '\\$&')}]${value}`;
  if (short === null) return [`*${long}${rest}`];
  return [short, long].map((name) => `(${short} ${long})${name}${rest}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
