/** The verbs: name, one line, the question they answer, and where their code is. Loading this file loads no verb. */
import type { Command } from 'commander';
import type { Context } from './context.js';

/** What a verb's file exports: it adds its arguments, options and action to its command. */
export interface VerbModule {
  define(command: Command, context: Context): void;
}

export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** Heading under which the list shows it. */
  readonly question: string;
  load(): Promise<VerbModule>;
}

const HAPPENS = 'What happens, and why?';
const OTHERWISE = 'And if something were different?';
const POLICY = 'What does a policy do, whatever the memory?';
const MACHINE = 'What is on this machine?';
const FILES = 'Is my file right?';
const SETUP = 'Setting up';

/** In the order of the help. */
export const VERBS: readonly Verb[] = [
  {
    name: 'run',
    summary: 'run a scenario: memory, huge pages, khugepaged, stalls, expectations',
    question: HAPPENS,
    load: () => import('./verbs/run.js'),
  },
  {
    name: 'explain',
    summary: 'each 2 MiB range: collapsed to what, or the one reason why not',
    question: HAPPENS,
    load: () => import('./verbs/explain.js'),
  },
  {
    name: 'check',
    summary: 'a race in a small case: every schedule, or the one that breaks it',
    question: HAPPENS,
    load: () => import('./verbs/check.js'),
  },
  {
    name: 'report',
    summary: "what DAMON recorded: heat map, working set, regions, in damo's layouts",
    question: HAPPENS,
    load: () => import('./verbs/report.js'),
  },
  {
    name: 'compare',
    summary: 'one scenario under several settings or kernels, differences marked',
    question: OTHERWISE,
    load: () => import('./verbs/compare.js'),
  },
  {
    name: 'what-if',
    summary: 'a captured process under other settings: gain, cost, lines to apply',
    question: OTHERWISE,
    load: () => import('./verbs/what-if.js'),
  },
  {
    name: 'creep',
    summary: 'do repeated scans climb from order to order: a proof over all small tables',
    question: POLICY,
    load: () => import('./verbs/creep.js'),
  },
  {
    name: 'cover',
    summary: "a walk's choice of windows against the best one under the same limits",
    question: POLICY,
    load: () => import('./verbs/cover.js'),
  },
  {
    name: 'capture',
    summary: "a live process's page tables into a snapshot file",
    question: MACHINE,
    load: () => import('./verbs/capture.js'),
  },
  {
    name: 'sample',
    summary: "accesses of a scenario's workloads, sampled as a processor does it",
    question: MACHINE,
    load: () => import('./verbs/sample.js'),
  },
  {
    name: 'calibrate',
    summary: 'what work costs on this machine, for --costs; or how well that predicts',
    question: MACHINE,
    load: () => import('./verbs/calibrate.js'),
  },
  {
    name: 'import',
    summary: "other tools' files: perf's samples and smaps into ranges to split",
    question: MACHINE,
    load: () => import('./verbs/import.js'),
  },
  {
    name: 'sysfs',
    summary: 'the huge page files of a kernel: list, read, try a write, compare, export',
    question: MACHINE,
    load: () => import('./verbs/sysfs.js'),
  },
  {
    name: 'validate',
    summary: 'check scenario and snapshot files without running them',
    question: FILES,
    load: () => import('./verbs/validate.js'),
  },
  {
    name: 'schema',
    summary: 'the JSON Schema of scenario files, for editors',
    question: FILES,
    load: () => import('./verbs/schema.js'),
  },
  {
    name: 'completion',
    summary: 'completion of verbs and options for bash, zsh or fish',
    question: SETUP,
    load: () => import('./verbs/completion.js'),
  },
];
