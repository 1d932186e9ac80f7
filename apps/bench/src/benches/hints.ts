/** How fast are collapse hints queued and drained, and how much memory do a million of them take? */
import { asBrand } from '@thplab/arena';
import {
  checkHints,
  createKhugepaged,
  HINT_ADD,
  hintPolicyNamed,
  KHUGEPAGED_TABLES,
  type Khugepaged,
  khugepagedAddHint,
  khugepagedDoScan,
  khugepagedEnter,
  khugepagedSizes,
} from '@thplab/khugepaged-scheduler';
import {
  bootMachine,
  type Machine,
  type MmId,
  mmAlloc,
  mmap,
  munmap,
  PTE_YOUNG,
  placeBasePages,
  placeFolio,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { createCollapseContext, generationByName } from '@thplab/mthp-collapse';
import { type Procedure, SequentialExecutor } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { timeOnce } from '../measure.js';
import type { BenchDefinition, BenchReport } from '../report.js';

const START = 0x100000;
const MMS = 32;
/** Ranges of an address space that hints are for: one huge, one without a table, by turns. */
const RANGES = 8;
const ORDER = 9;
const RANGE_PAGES = 2 ** ORDER;
const MOST_SECONDS = 2;
const MOST_BYTES = 64 * 2 ** 20;

/** See the head of the file. */
export const hintsBench: BenchDefinition = {
  name: 'hints',
  question: 'how long do a million collapse hints take, and how much memory?',
  run({ quick }): BenchReport {
    const hints = quick ? 100_000 : 1_000_000;
    measure('as-posted', 'unmapped', hints / 10);
    const rows = CASES.map(({ policy, ranges }) => ({
      policy,
      ranges,
      ...fastest(Array.from({ length: quick ? 1 : 3 }, () => measure(policy, ranges, hints))),
    }));
    const queue = rows[0];
    const seconds = ((queue.addSeconds + queue.drainSeconds) * 1e6) / hints;
    return {
      name: this.name,
      question: this.question,
      rows: rows.map(({ policy, ranges, addSeconds, drainSeconds, bytes }) => ({
        what: `${policy}, ${ranges} ranges`,
        figures: {
          queued: { value: hints / addSeconds, unit: 'hint/s' },
          drained: { value: hints / drainSeconds, unit: 'hint/s' },
          memory: { value: bytes / hints, unit: 'B/hint' },
        },
      })),
      demands: [
        {
          text: `a million hints queued, drained and dropped in ${seconds.toFixed(2)} s (at most ${MOST_SECONDS})`,
          met: seconds <= MOST_SECONDS,
        },
        {
          text: `the whole arena with room for them takes ${(queue.bytes / 2 ** 20).toFixed(1)} MiB (at most 64)`,
          met: queue.bytes <= MOST_BYTES,
        },
      ],
    };
  },
};

/**
 * The queue by itself, whose hints come too late for their memory; and with what looking at a range costs, which is the
 * collapse code's, as posted with ten failures to a drain.
 */
const CASES = [
  { policy: 'as-posted', ranges: 'unmapped' },
  { policy: 'as-posted', ranges: 'huge' },
  { policy: 'best', ranges: 'huge' },
] as const;
type Ranges = (typeof CASES)[number]['ranges'];

interface Measured {
  readonly addSeconds: number;
  readonly drainSeconds: number;
  /** Of the whole arena. */
  readonly bytes: number;
}

/** The run that others on the machine disturbed least. */
function fastest(runs: readonly Measured[]): Measured {
  const seconds = (one: Measured): number => one.addSeconds + one.drainSeconds;
  return runs.reduce((best, one) => (seconds(one) < seconds(best) ? one : best));
}

/** Adds hints for one address space after the other, drains them, and checks that they came in order and none was lost. */
function measure(policy: string, ranges: Ranges, hints: number): Measured {
  const { machine: m } = bootMachine({
    nodePages: [MMS * RANGES * 512],
    limits: { mms: MMS + 1, vmas: MMS * 2, pageTables: MMS * 8, directories: MMS * 8 },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: khugepagedSizes(MMS, hints),
  });
  const order = new OrderCheck();
  const executor = new SequentialExecutor(m.domain, { statistics: false, lockdep: false });
  m.current = executor.current;
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.always;
  m.setting.value[settingIndex('khugepaged.pages_to_scan')] = 0x7fff_ffff;
  const k = createKhugepaged({
    machine: m,
    profile: 'hints-rfc',
    collapse: createCollapseContext({ machine: m, generation: generationByName('hints-rfc') }),
    startThread: () => {},
    // Every hint is to be served: without the answers that drop or skip some.
    hints: {
      policy: { ...hintPolicyNamed(policy), deduplicates: false, mostPerRequest: 0, mostAgeNs: 0, rotateAfter: 0 },
      recorder: { taken: (mm, page, priority) => order.taken(mm, page, priority) },
    },
  });
  const mms = Array.from({ length: MMS }, () => addressSpace(m, k, executor));
  const addSeconds = timeOnce(() => runTask(executor, () => addAll(k, mms, hints)));
  const bytes = m.arena.buffer.byteLength;
  if (ranges === 'unmapped') for (const { mm } of mms) runTask(executor, () => unmapAll(m, mm));
  const drainSeconds = timeOnce(() => {
    while (k.t.hint.pool.live > 0) runTask(executor, () => khugepagedDoScan(k));
  });
  const problems = checkHints(k);
  if (problems.length > 0 || order.count !== hints) throw new Error(`${order.count} of ${hints} drained; ${problems}`);
  return { addSeconds, drainSeconds, bytes };
}

function unmapAll(m: Machine, mm: MmId): Procedure<unknown> {
  return munmap(m, mm, asBrand<Vpn>(START), RANGES * RANGE_PAGES);
}

/** Hints are numbered: number i is for range i modulo RANGES, of high priority unless i is odd within the ranges' turn. */
function rangeOf(i: number): number {
  return i % RANGES;
}

function priorityOf(i: number): number {
  return Math.floor(i / RANGES) % 2;
}

/** The hints of an address space at a priority come in the order in which they were added. */
class OrderCheck {
  count = 0;
  /** Number of the next hint, by address space and priority. */
  readonly #next = new Int32Array(2 * (MMS + 2));

  taken(mm: MmId, page: Vpn, priority: number): void {
    const key = 2 * mm + priority;
    let i = this.#next[key];
    while (priorityOf(i) !== priority) i++;
    if (page !== START + rangeOf(i) * RANGE_PAGES) throw new Error(`mm ${mm}: page ${page} is out of order`);
    this.#next[key] = i + 1;
    this.count++;
  }
}

function addressSpace(m: Machine, k: Khugepaged, executor: SequentialExecutor): { mm: MmId; vma: VmaId } {
  const mm = mmAlloc(m);
  const at = asBrand<Vpn>(START);
  runTask(executor, () => mmap(m, mm, { at, pages: (RANGES + 1) * RANGE_PAGES, fixed: 'replace' }));
  const vma = vmaAt(m, mm, START) as VmaId;
  for (let range = 0; range < RANGES; range += 2) {
    placeFolio(m, vma, asBrand<Vpn>(START + range * RANGE_PAGES), ORDER, PTE_YOUNG, { pmdMapped: true });
  }
  placeBasePages(m, vma, asBrand<Vpn>(START + RANGES * RANGE_PAGES), 1, PTE_YOUNG);
  runTask(executor, () => khugepagedEnter(k, mm));
  return { mm, vma };
}

function* addAll(k: Khugepaged, mms: readonly { mm: MmId; vma: VmaId }[], hints: number): Procedure<void> {
  const each = Math.ceil(hints / MMS);
  for (let i = 0; i < hints; i++) {
    const { mm, vma } = mms[Math.floor(i / each)];
    const nth = i % each;
    const page = asBrand<Vpn>(START + rangeOf(nth) * RANGE_PAGES);
    const outcome = yield* khugepagedAddHint(k, { mm, vma, page, priority: priorityOf(nth), maxOrder: 0 });
    if (outcome !== HINT_ADD.queued) throw new Error(`hint ${i} was refused: ${outcome}`);
  }
}

function runTask(executor: SequentialExecutor, procedure: () => Procedure<unknown>): void {
  executor.spawn('bench', procedure);
  const { failure } = executor.run();
  if (failure !== undefined) throw failure.error;
}
