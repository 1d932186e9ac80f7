/** How help looks: examples first, then usage, then options. */
import type { Command } from 'commander';
import type { Context } from './context.js';

export type Example = readonly [command: string, what: string];

const WIDEST = 110;

/** Streams, width and colours of the help of a command and of those below it. Must be called before they are made. */
export function styleHelp(command: Command, context: Context): void {
  const { stdout, stderr } = context.io;
  const width = (columns: number | null): number => Math.min(columns ?? WIDEST, WIDEST);
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    // The failure is said once, by main().
    outputError: () => {},
    getOutHelpWidth: () => width(stdout.columns),
    getErrHelpWidth: () => width(stderr.columns),
    getOutHasColors: () => context.colors.enabled,
    getErrHasColors: () => context.errorColors.enabled,
  });
  command.configureHelp({
    styleTitle: (title) => context.colors.strong(title === 'Usage:' ? title : title.replace(/:$/, '')),
    styleSubcommandTerm: (term) => context.colors.good(term),
    styleOptionTerm: (term) => context.colors.good(term),
    subcommandTerm: (child) => child.name(),
    showGlobalOptions: false,
  });
}

/** Puts examples at the head of a command's help. */
export function showExamples(command: Command, context: Context, examples: readonly Example[]): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const { strong, faint } = context.colors;
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${faint(what)}`);
  command.addHelpText('before', `${strong('Examples')}\n${lines.join('\n')}\n`);
}
