/** `thplab import`: what other tools wrote, into something this one works with. Nothing is run or changed. */
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { showExamples } from '../help.js';
import { defineDamo } from './import/damo.js';
import { defineMasim } from './import/masim.js';
import { definePerfScript } from './import/perf-script.js';
import { defineSmaps } from './import/smaps.js';

export function define(command: Command, context: Context): void {
  command.usage('perf-script|smaps|masim|damo [options]');
  showExamples(command, context, [
    [
      'perf script -F comm,pid,time,event,addr,phys_addr | thplab import perf-script -',
      'sparse huge pages, by sampled accesses',
    ],
    ['thplab import perf-script spe.txt --snapshot app.thpsnap --as sysfs', 'the lines that split them'],
    ['thplab import smaps /proc/1234/smaps', 'without samples: too much, and it says so'],
  ]);
  const subcommand = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary).helpOption('-h, --help', 'print this help');
  definePerfScript(
    subcommand(
      'perf-script',
      'sampled memory accesses (SPE, PEBS, IBS): hot and cold parts of huge pages, ranges to split',
    ),
    context,
  );
  defineSmaps(
    subcommand('smaps', 'every block of VMAs with huge pages, where there are no samples; or a scenario'),
    context,
  );
  defineMasim(subcommand('masim', 'a configuration of masim, as a scenario that runs it'), context);
  defineDamo(subcommand('damo', 'a record of DAMON, as a scenario that replays its accesses'), context);
}
