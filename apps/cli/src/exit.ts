/** The exit codes, in one place: what they mean is part of the contract with scripts. */

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  input: 3,
  limit: 4,
  defect: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code means, for help texts, ascending. */
export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.done, 'done, all expectations held'],
  [EXIT.failed, 'an expectation failed, check or creep found something, or the kernel would refuse a write'],
  [EXIT.usage, 'wrong usage'],
  [EXIT.input, 'an input (file, snapshot, process) cannot be used: path:line:column: what, and what would be right'],
  [EXIT.limit, 'a limit ended the work without a verdict'],
  [EXIT.defect, 'a defect in thplab itself'],
  [EXIT.interrupted, 'interrupted'],
];
