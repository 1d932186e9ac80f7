/** What is wrong in a scenario file, and the error that carries it. */

export interface Problem {
  /** File name as given by the caller, or `<scenario>`. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Key path of the offending value, e.g. `processes[0].vmas[1].size`; empty for the whole file. */
  readonly key: string;
  /** What is wrong. */
  readonly message: string;
  /** What would be right; may be empty. */
  readonly hint: string;
}

/** Reported at most; the error says how many more there are. */
export const MAX_PROBLEMS = 20;

/** Described at most, so that a file full of mistakes costs no more than one with some; the first of them are reported. */
export const MAX_DESCRIBED = 500;

/** `path:line:column: what, and what would be right` */
export function formatProblem(problem: Problem): string {
  const { path, line, column, message, hint } = problem;
  return `${path}:${line}:${column}: ${message}${hint === '' ? '' : `; ${hint}`}`;
}

/** A scenario file cannot be used. `problems` holds the first MAX_PROBLEMS in file order, `more` how many were left out. */
export class ScenarioError extends Error {
  override readonly name: string = 'ScenarioError';
  readonly problems: readonly Problem[];
  readonly more: number;

  /** `omitted`: further problems that were counted but not described. */
  constructor(problems: readonly Problem[], omitted = 0) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    const shown = sorted.slice(0, MAX_PROBLEMS);
    const more = sorted.length - shown.length + omitted;
    const rest = more === 0 ? [] : [`... and ${more} more`];
    super([...shown.map(formatProblem), ...rest].join('\n'));
    this.problems = shown;
    this.more = more;
  }
}

export type KeyPath = readonly (string | number)[];

/** `processes[0].vmas[1].size`; keys that are no plain names are quoted: `sysfs["khugepaged/defrag"]`. */
export function formatKey(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_]\w*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}
