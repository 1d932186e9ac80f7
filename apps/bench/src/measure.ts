/**
 * Rates of several ways to do the same work, measured in turn (A B C A B C …) so that a machine that speeds up or slows
 * down does so for all of them. The median of the rounds is taken.
 */
import { hrtimeNow } from 'tinybench';

/** One way to do the work. `run` does it once and says how many units that was. */
export interface Contender {
  readonly name: string;
  run(): number;
}

/** Units per second of each contender, by name. */
export type Rates = Readonly<Record<string, number>>;

/** How long and how often. */
export interface MeasureOptions {
  /** Rounds, each of which measures every contender (default 7). */
  readonly rounds?: number;
  /** Least time of one measurement, ms (default 120). */
  readonly spanMs?: number;
}

/** Measures the contenders. */
export function measureRates(contenders: readonly Contender[], options: MeasureOptions = {}): Rates {
  const { rounds = 7, spanMs = 120 } = options;
  for (const contender of contenders) contender.run();
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) samples.get(contender.name)?.push(rateOnce(contender, spanMs));
  }
  return Object.fromEntries([...samples].map(([name, rates]) => [name, median(rates)]));
}

/** Wall-clock time of one run, seconds. */
export function timeOnce(work: () => void): number {
  const start = hrtimeNow();
  work();
  return (hrtimeNow() - start) / 1e3;
}

function rateOnce(contender: Contender, spanMs: number): number {
  const start = hrtimeNow();
  let units = 0;
  let now = start;
  do {
    units += contender.run();
    now = hrtimeNow();
  } while (now - start < spanMs);
  return (units / (now - start)) * 1e3;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
