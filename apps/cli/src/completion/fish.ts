/** Completion for fish: one line per verb and option. */
import { type CommandModel, flatten, type OptionModel } from './model.js';

export function fishScript(program: CommandModel): string {
  const lines = flatten(program).flatMap(([path, command]) => [
    ...command.commands.map(({ name, text }) => line(path, command, `-f -a ${name} -d ${quote(text)}`)),
    ...command.argumentValues.map((value) => line(path, command, `-f -a ${quote(value)}`)),
    ...command.options.map((option) => line(path, command, optionWords(option))),
  ]);
  return `# fish completion of thplab; thplab completion fish -o ~/.config/fish/completions/thplab.fish
${lines.join('\n')}
`;
}

/** Offered where the words of `path` stand, and none of the command's own subcommands. */
function line(path: readonly string[], command: CommandModel, what: string): string {
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = command.commands.map(({ name }) => name);
  if (below.length > 0) seen.push(`not __fish_seen_subcommand_from ${below.join(' ')}`);
  return `complete -c thplab -n ${quote(seen.join('; and '))} ${what}`;
}

function optionWords({ short, long, text, values }: OptionModel): string {
  const names = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`;
  const value = values === null ? '' : values.length > 0 ? ` -x -a ${quote(values.join(' '))}` : ' -r';
  return `${names}${value} -d ${quote(text)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
