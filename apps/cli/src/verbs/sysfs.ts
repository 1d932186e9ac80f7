/** `thplab sysfs`: the emulated /sys/kernel/mm/transparent_hugepage. The machine's own is never written. */
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { showExamples } from '../help.js';
import { defineDiff } from './sysfs/diff.js';
import { defineExport } from './sysfs/export.js';
import { defineGet } from './sysfs/get.js';
import { defineSet } from './sysfs/set.js';
import { defineTree } from './sysfs/tree.js';

export function define(command: Command, context: Context): void {
  command.usage('tree|get|set|diff|export [options]');
  showExamples(command, context, [
    ['thplab sysfs tree --settings', 'every file that can be written, and what a read shows'],
    ['thplab sysfs set khugepaged/max_ptes_none=600', 'what the kernel answers to a write'],
    ['thplab sysfs diff v6.18 merged', 'what a kernel has that another lacks'],
    ['thplab sysfs export enabled=madvise', 'the line for a real machine'],
  ]);
  const subcommand = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary).helpOption('-h, --help', 'print this help');
  defineTree(subcommand('tree', 'list the files: mode, path, what a read shows after boot'), context);
  defineGet(subcommand('get', 'what a read shows after boot'), context);
  defineSet(
    subcommand('set', 'try writes on a fresh machine: what the kernel answers, what a read then shows'),
    context,
  );
  defineDiff(
    subcommand('diff', 'compare two kernels, a scenario with the defaults, or either with this machine'),
    context,
  );
  defineExport(subcommand('export', 'the shell lines that set a real machine'), context);
}
