/**
 * One run of the stress: processes on threads beside two scanners of one machine, everything at once, and what must hold of
 * the machine afterwards (khugepaged spec 19): contents (I1), RSS and folio counts (I2, I5), locks and isolation given back
 * (I4, I8), holes of userfaultfd never filled (I6). Each thread is under lockdep (I7), and looks between its steps at who
 * may see an empty PMD (I3): thread-stress.ts.
 */
import { Worker } from 'node:worker_threads';
import { asBrand, Random } from '@thplab/arena';
import {
  dupMm,
  type Machine,
  type MmId,
  mmap,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  userfaultfdRegister,
  VM,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { ThreadsExecutor, type WorkerPort } from '@thplab/sync';
import { khugepagedHandle, threadTables } from '../pool/attach.js';
import { resetScanWork } from '../scan-work.js';
import { defects, FIRST, makePoolWorld, type PoolWorld, type PoolWorldConfig, runNow } from './pool-world.js';
import { readAddressSpace } from './stress/page-reader.js';
import type { Contents, StressData, StressProcess } from './thread-stress.js';

const N = 512;
const SCANNERS = 2;
/** Where each process has memory with holes that userfaultfd watches, far from the rest. */
const WATCHED = FIRST + 0x100000;
const WATCHED_RANGES = 1;

/** What is run. */
export interface StressConfig extends PoolWorldConfig {
  /** Operations of each process. */
  readonly operations: number;
  /** A child of the first process from the start, which shares what neither has written to. */
  readonly child: boolean;
}

/** What came of it. */
export interface StressFacts {
  readonly processes: number;
  readonly collapsed: number;
  readonly faults: number;
}

/** A run of every kind, by its number. */
export function stressConfig(seed: number): StressConfig {
  const random = new Random(seed);
  const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  const profile = pick('merged', 'merged', 'v6.18', 'v12');
  const small =
    profile === 'v6.18'
      ? {}
      : { 'hugepages-64kB/enabled': pick('always', 'never'), 'hugepages-16kB/enabled': pick('always', 'never') };
  const ranges = 1 + random.below(5);
  const processes = 1 + random.below(3);
  const needed = processes * (ranges + WATCHED_RANGES) * N;
  return {
    processes,
    ranges,
    seed,
    profile,
    pages: pick(32_768, 2 * needed + 2048, Math.ceil(1.2 * needed) + 700, needed + 700),
    sysfs: {
      ...small,
      'khugepaged/max_ptes_none': pick('0', '511', profile === 'merged' ? '511' : '64'),
      'khugepaged/pages_to_scan': pick('512', '2048', '65536'),
      'khugepaged/max_ptes_shared': pick('0', '256', '511'),
      'khugepaged/max_ptes_swap': pick('0', '64', '511'),
    },
    operations: 200 + random.below(1200),
    child: random.below(2) === 1,
  };
}

/** Workers of the stress, kept from one run to the next. */
export class StressWorkers {
  readonly #url: URL;
  readonly #workers: (Worker | undefined)[] = [];

  /** `url`: a worker that serves the programs of thread-stress.ts. */
  constructor(url: URL) {
    this.#url = url;
  }

  readonly of = (thread: number): WorkerPort => {
    this.#workers[thread] ??= new Worker(this.#url).setMaxListeners(0);
    return this.#workers[thread] as unknown as WorkerPort;
  };

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker?.terminate()));
    this.#workers.length = 0;
  }
}

/** Runs it. Errors: whatever does not hold, in words. */
export async function stressOnce(config: StressConfig, workers: StressWorkers): Promise<StressFacts> {
  const world = makePoolWorld(config);
  const { m, k, mms } = world;
  for (const mm of mms) addWatchedHoles(m, mm, config.seed ?? 1);
  const all = config.child ? [...mms, runNow(m, dupMm(m, mms[0] as MmId))] : [...mms];
  const started = all.map((mm): StressProcess => ({ mm, contents: contentsOf(m, mm) }));
  const watched = mms.map((mm) => watchedPages(m, mm));
  const left = await runAll(world, config, started, workers);
  const wrong = [
    ...defects(world),
    ...left.flatMap(({ mm, contents }) => wrongContents(m, mm, contents)),
    ...mms.flatMap((mm, i) => filledHoles(m, mm, watched[i] ?? new Set())),
  ];
  if (wrong.length > 0) throw new Error(wrong.slice(0, 20).join('\n'));
  const faults = left.reduce((sum, { contents }) => sum + contents.size, 0);
  return { processes: left.length, collapsed: k.t.khugepaged.pagesCollapsed[0] ?? 0, faults };
}

async function runAll(
  { m, k }: PoolWorld,
  { seed = 1, operations, ranges }: StressConfig,
  started: readonly StressProcess[],
  workers: StressWorkers,
): Promise<StressProcess[]> {
  const working = new SharedArrayBuffer(4);
  new Int32Array(working)[0] = started.length;
  resetScanWork(k);
  const executor = new ThreadsExecutor(m.domain, { tables: threadTables(m), worker: workers.of, timeScale: 0 });
  const module = new URL('./thread-stress.ts', import.meta.url).href;
  const common = { handle: khugepagedHandle(k), scanners: SCANNERS, working, ranges };
  for (let at = 0; at < SCANNERS; at++) {
    const data: StressData = { ...common, thread: at, seed: 0, count: at };
    executor.spawnNamed(`scanner ${at}`, { module, export: 'stressScanner', data });
  }
  for (const [at, process] of started.entries()) {
    const data: StressData = { ...common, thread: SCANNERS + at, seed: seed * 100 + at, count: operations, process };
    executor.spawnNamed(`mutator ${at}`, { module, export: 'stressMutator', data });
  }
  const outcome = await executor.run();
  if (outcome.failure !== undefined) throw outcome.failure.error;
  const unfinished = executor.tasks.filter(({ state }) => state !== 'done').map(({ name }) => name);
  if (unfinished.length > 0) throw new Error(`the run ended as '${outcome.end}' before ${unfinished.join(', ')}`);
  return executor.tasks.slice(SCANNERS).flatMap(({ result }) => result as StressProcess[]);
}

/** What the stressed part of an address space reads. */
function contentsOf(m: Machine, mm: MmId): Contents {
  const pages = [...readAddressSpace(m, mm)].filter(([page]) => page < WATCHED);
  return new Map(pages.map(([page, seen]) => [page, seen.content]));
}

function wrongContents(m: Machine, mm: MmId, contents: Contents): string[] {
  return [...contentsOf(m, mm)]
    .filter(([page, content]) => content !== (contents.get(page) ?? 0))
    .map(([page, content]) => `page ${page} of mm ${mm} reads ${content}, must read ${contents.get(page) ?? 0}`);
}

/** Memory in which a missing page means something: most pages are there, the holes must stay. */
function addWatchedHoles(m: Machine, mm: MmId, seed: number): void {
  const at = asBrand<Vpn>(WATCHED);
  const pages = WATCHED_RANGES * N;
  runNow(m, mmap(m, mm, { at, pages, fixed: 'replace' }));
  const vma = vmaAt(m, mm, WATCHED) as VmaId;
  const random = new Random(seed, mm);
  for (let page = WATCHED; page < WATCHED + pages; page++) {
    if (random.below(16) > 0) placeBasePages(m, vma, asBrand<Vpn>(page), 1, PTE_YOUNG | PTE_WRITE);
  }
  runNow(m, userfaultfdRegister(m, mm, at, pages, VM.UFFD_MISSING));
}

function watchedPages(m: Machine, mm: MmId): Set<number> {
  return new Set([...readAddressSpace(m, mm).keys()].filter((page) => page >= WATCHED));
}

/** Nothing to say of a process that has exited: its number may be that of a child now, which userfaultfd does not watch. */
function filledHoles(m: Machine, mm: MmId, before: ReadonlySet<number>): string[] {
  const vma = m.mm.pgd[mm] === 0 ? 0 : vmaAt(m, mm, WATCHED);
  if (vma === 0 || (m.vma.flags[vma] & VM.UFFD_MISSING) === 0) return [];
  return [...watchedPages(m, mm)]
    .filter((page) => !before.has(page))
    .map((page) => `page ${page} of mm ${mm} was a hole that userfaultfd watches, and is filled`);
}
