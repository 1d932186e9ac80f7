/** The whole comparison: all cases that this machine allows, and what was left out. */
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { Case } from './case.js';
import { CASES, familyOf } from './cases/index.js';
import { type CaseReport, compareCase } from './compare-case.js';
import { compareLimits, compareOrder, type SkippedCases } from './khugepaged/compare-khugepaged.js';
import { thisKernel } from './machine.js';
import { randomCase } from './random/random-case.js';
import { RealChild } from './real/real-child.js';

/** What to run. */
export interface ConformanceOptions {
  /** Seed of the random cases, and how many of them. */
  readonly seed: number;
  readonly random: number;
  /** Only this family. */
  readonly family?: string;
  /** Also khugepaged's own limits and wake-ups, which take minutes. */
  readonly khugepaged?: boolean;
  /** Instead of the running release's. */
  readonly profile?: KernelProfile;
  readonly progress?: (done: number, all: number, name: string) => void;
}

/** What came of it. */
export interface Summary {
  /** Release and profile; undefined where nothing could be compared. */
  readonly kernel?: { readonly release: string; readonly profile: string };
  readonly seed: number;
  readonly reports: readonly CaseReport[];
  readonly skipped: readonly SkippedCases[];
}

/** Runs all cases, one after the other. */
export async function runConformance(options: ConformanceOptions): Promise<Summary> {
  const { seed } = options;
  const cases: Case[] = CASES.filter((given) => options.family === undefined || familyOf(given) === options.family);
  for (let i = 0; i < options.random; i++) cases.push(randomCase(seed, i));
  const kernel = await thisKernel(options.profile);
  if ('skipped' in kernel) return { seed, reports: [], skipped: [{ cases: cases.length, why: kernel.skipped }] };
  const child = new RealChild();
  const reports: CaseReport[] = [];
  const skipped: SkippedCases[] = [];
  try {
    for (const given of cases) {
      options.progress?.(reports.length, cases.length, given.name);
      reports.push(await compareCase(given, child, kernel.options));
    }
  } finally {
    child.close();
  }
  if (options.khugepaged === true) {
    options.progress?.(reports.length, cases.length, 'khugepaged, which wakes every ten seconds: its limits');
    const limits = await compareLimits(kernel.options);
    Array.isArray(limits) ? reports.push(...limits) : skipped.push(limits);
    options.progress?.(reports.length, cases.length, 'khugepaged: the order of processes');
    const order = await compareOrder(kernel.options);
    Array.isArray(order) ? reports.push(...order) : skipped.push(order);
  }
  const { release } = kernel;
  return { kernel: { release, profile: kernel.options.profile }, seed, reports, skipped };
}
