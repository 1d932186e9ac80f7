/** What a completion script needs to know of a command: plain data, read from commander's objects. */
import type { Command, Option } from 'commander';

export interface OptionModel {
  readonly short: string | null;
  readonly long: string;
  readonly text: string;
  /** null: takes no value. Empty: any value or file. Else the values there are. */
  readonly values: readonly string[] | null;
}

export interface CommandModel {
  readonly name: string;
  readonly text: string;
  readonly options: readonly OptionModel[];
  readonly commands: readonly CommandModel[];
  /** Fixed values of the first argument; empty: files. */
  readonly argumentValues: readonly string[];
}

/** A command with all that is below it. */
export function describeCommand(command: Command): CommandModel {
  return {
    name: command.name(),
    text: command.summary() || command.description(),
    options: [...command.options.map(describeOption), HELP],
    commands: command.commands.map(describeCommand),
    argumentValues: command.registeredArguments[0]?.argChoices ?? [],
  };
}

const HELP: OptionModel = { short: '-h', long: '--help', text: 'print the help', values: null };

function describeOption(option: Option): OptionModel {
  const takesValue = option.required || option.optional;
  return {
    short: option.short ?? null,
    long: option.long ?? option.flags,
    text: option.description,
    values: takesValue ? (option.argChoices ?? []) : null,
  };
}

/** A command and all below it, each with the words that lead to it. */
export function flatten(
  command: CommandModel,
  path: readonly string[] = [],
): (readonly [readonly string[], CommandModel])[] {
  return [[path, command], ...command.commands.flatMap((child) => flatten(child, [...path, child.name]))];
}

/** The option strings of a command. */
export function flags(command: CommandModel): readonly string[] {
  return command.options.flatMap(({ short, long }) => (short === null ? [long] : [short, long]));
}
