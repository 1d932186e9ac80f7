/**
 * Cost files: what work costs on one machine, as `thplab calibrate` writes them and `--costs` reads them. YAML or JSON; all
 * times in ns of processor time, or as texts with a unit (`0.65us`).
 */
import { type CostTable, DEFAULT_COSTS } from '@thplab/mm-model';
import { nearest } from '../format/did-you-mean.js';
import { DEFAULT_LIMITS } from '../format/limits.js';
import { type KeyPath, type Problem, ScenarioError } from '../format/problems.js';
import { parseDuration } from '../format/units.js';
import { readTree, type SourceTree } from '../format/yaml-tree.js';

/** First line of every cost file. */
export const COSTS_FORMAT = 'thplab/costs@1';

/** A cost file's content. */
export interface CostFile {
  /** Where the costs were measured: processor and kernel release. */
  readonly machine: string;
  readonly kernel: string;
  /** What else is to be known about them. */
  readonly note: string | null;
  /** Costs that the file gives, in ns; others keep their default. */
  readonly costs: Partial<CostTable>;
  /** What the costs were made from, in ns, by name: for readers only. */
  readonly measured: Readonly<Record<string, number>>;
}

const COST_NAMES = Object.keys(DEFAULT_COSTS) as (keyof CostTable)[];
const KEYS = ['format', 'machine', 'kernel', 'note', 'costs', 'measured'] as const;
/** A second: more than any of these works takes, and less than a wrong unit gives. */
const MOST_NS = 1e9;

/** Reads a cost file. Errors: ScenarioError with every problem as `path:line:column: what; what would be right`. */
export function parseCostFile(text: string, path = '<costs>'): CostFile {
  if (text.trim() === '') throw new ScenarioError([at(path, 1, 1, 'the file is empty', startHint)]);
  const read = readTree(text, path, DEFAULT_LIMITS);
  if ('problems' in read) throw new ScenarioError(read.problems);
  return new CostReader(read.tree, path).file();
}

const startHint = `expected a cost file, which begins with "format: ${COSTS_FORMAT}"; thplab calibrate writes one`;

function at(path: string, line: number, column: number, message: string, hint: string): Problem {
  return { path, line, column, key: '', message, hint };
}

class CostReader {
  private readonly tree: SourceTree;
  private readonly path: string;
  private readonly problems: Problem[] = [];

  constructor(tree: SourceTree, path: string) {
    this.tree = tree;
    this.path = path;
  }

  file(): CostFile {
    const root = this.tree.value;
    if (!isRecord(root)) {
      this.problem([], 'value', 'this is no cost file', startHint);
      throw new ScenarioError(this.problems);
    }
    if (root.format !== COSTS_FORMAT) {
      const what = root.format === undefined ? 'there is no format' : `format is ${JSON.stringify(root.format)}`;
      this.problem(['format'], 'value', what, startHint);
      throw new ScenarioError(this.problems);
    }
    for (const key of Object.keys(root)) this.known(key, KEYS, [key], 'no part of a cost file');
    const file = {
      machine: this.text(root, 'machine'),
      kernel: this.text(root, 'kernel'),
      note: root.note === undefined ? null : this.text(root, 'note'),
      costs: this.times(root, 'costs', COST_NAMES) as Partial<CostTable>,
      measured: root.measured === undefined ? {} : this.times(root, 'measured'),
    };
    if (this.problems.length > 0) throw new ScenarioError(this.problems);
    return file;
  }

  private text(root: Record<string, unknown>, key: string): string {
    const value = root[key];
    if (typeof value === 'string' && value !== '') return value;
    this.problem([key], 'value', `${key} is ${shown(value)}`, 'expected a text');
    return '';
  }

  private times(root: Record<string, unknown>, key: string, names?: readonly string[]): Record<string, number> {
    const given = root[key];
    if (!isRecord(given)) {
      this.problem([key], 'value', `${key} is ${shown(given)}`, 'expected names with times, such as "copyPage: 200"');
      return {};
    }
    const times: Record<string, number> = {};
    for (const [name, value] of Object.entries(given)) {
      if (names !== undefined && !this.known(name, names, [key, name], 'no cost')) continue;
      const ns = timeOf(value);
      if (ns !== null) times[name] = ns;
      else {
        const hint = 'expected ns as a number from 0 to 1000000000, or a text such as 0.65us';
        this.problem([key, name], 'value', `${key}.${name} is ${shown(value)}`, hint);
      }
    }
    return times;
  }

  private known(name: string, names: readonly string[], path: KeyPath, what: string): boolean {
    if (names.includes(name)) return true;
    const near = nearest(name, names);
    const hint = near === null ? `there are ${names.join(', ')}` : `did you mean ${near}?`;
    this.problem(path, 'key', `${JSON.stringify(name)} is ${what}`, hint);
    return false;
  }

  private problem(key: KeyPath, which: 'key' | 'value', message: string, hint: string): void {
    const { line, column } = this.tree.locate(key, which);
    this.problems.push(at(this.path, line, column, message, hint));
  }
}

function timeOf(value: unknown): number | null {
  const ns = typeof value === 'number' ? value : typeof value === 'string' ? parseDuration(value) : null;
  return ns !== null && Number.isFinite(ns) && ns >= 0 && ns <= MOST_NS ? ns : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The text of a cost file. */
export function costFileText(file: CostFile): string {
  const lines = (times: Readonly<Record<string, number>>): string[] =>
    Object.entries(times).map(([name, ns]) => `  ${name}: ${Math.round(ns * 10) / 10}`);
  return `${[
    `format: ${COSTS_FORMAT}`,
    `machine: ${JSON.stringify(file.machine)}`,
    `kernel: ${JSON.stringify(file.kernel)}`,
    ...(file.note === null ? [] : [`note: ${JSON.stringify(file.note)}`]),
    '# ns of processor time; what is left out keeps its default',
    'costs:',
    ...lines(file.costs as Record<string, number>),
    ...(Object.keys(file.measured).length === 0
      ? []
      : ['# what they were made from, ns', 'measured:', ...lines(file.measured)]),
  ].join('\n')}\n`;
}
