/** From arguments to an exit code: finds the verb, loads only its code, and says what went wrong in one place. */
import { Command, CommanderError } from 'commander';
import { VERBS } from './catalogue.js';
import { type Context, createContext } from './context.js';
import { CliError, defectText, UsageError } from './errors.js';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit.js';
import { showExamples, styleHelp } from './help.js';
import type { Io } from './io.js';

/**
 * Runs one command line.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code; whatever went wrong has been said on stderr
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  const context = createContext(argv, io, (whole) => createProgram(whole, null));
  try {
    const program = await createProgram(context, argv);
    await program.parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return reportFailure(error, context);
  } finally {
    context.dispose();
  }
}

/** Verbs are only names until one is meant: the code of that one is loaded (of all, when argv is null). */
async function createProgram(context: Context, argv: readonly string[] | null): Promise<Command> {
  const program = new Command('thplab')
    .description('thplab: a laboratory for Linux huge-page policy. Runs in user space, needs no root, repeats exactly.')
    .usage('<verb> [options]')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false);
  styleHelp(program, context);
  showExamples(program, context, [
    ['thplab run examples/quickstart.yaml', 'what happens to a fresh heap'],
    ['thplab explain examples/quickstart.yaml', 'why each 2 MiB range is huge, or is not'],
    ['thplab compare SCENARIO --vary khugepaged/max_ptes_none=0,64,511', 'settings side by side'],
    ['thplab what-if --pid 1234', 'a live process under other settings'],
  ]);
  program.addHelpText('after', () => exitCodeHelp(context));
  const wanted = argv === null ? null : wantedVerbs(argv);
  for (const verb of VERBS) {
    const command = program.command(verb.name).summary(verb.summary).description(verb.summary);
    command.helpGroup(verb.question).helpOption('-h, --help', 'print this help');
    if (wanted !== null && !wanted.includes(verb.name)) continue;
    const { define } = await verb.load();
    define(command, context);
  }
  eachCommand(program, (command) => {
    command.exitOverride((error) => {
      throw usageOf(error, command);
    });
  });
  return program;
}

/** The verb that the arguments name, if any. */
function wantedVerbs(argv: readonly string[]): readonly string[] {
  const first = argv.find((word) => !word.startsWith('-'));
  return first === undefined ? [] : [first];
}

function eachCommand(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const child of command.commands) eachCommand(child, act);
}

function exitCodeHelp(context: Context): string {
  const lines = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`);
  return `\n${context.colors.strong('Exit codes')}\n${lines.join('\n')}\n\n"thplab VERB --help" shows the options of a verb.`;
}

/** commander's refusals in our words; its other exits (help, version) pass. */
function usageOf(error: CommanderError, command: Command): Error {
  if (error.exitCode === 0 || error.code === 'commander.help') return error;
  const path = commandPath(command);
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, (_, names: string) => `; did you mean ${names}?`)
    .replace(/^unknown command/, path === 'thplab' ? 'unknown verb' : 'unknown command');
  return new UsageError(`${text}\nusage: ${path} ${command.usage()}\nhelp:  ${path} --help`);
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}

function reportFailure(error: unknown, context: Context): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError) {
    context.io.stderr.write(`${error.hasPlace ? '' : 'thplab: '}${error.message}\n`);
    if (error.exitCode === EXIT.limit) context.say(`repeat: ${context.commandLine}`);
    return error.exitCode;
  }
  context.io.stderr.write(defectText(error, context.commandLine, context.version));
  return EXIT.defect;
}
