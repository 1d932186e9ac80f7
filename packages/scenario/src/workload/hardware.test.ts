import { asBrand, getBit } from '@thplab/arena';
import {
  findPmd,
  findTable,
  MADV,
  type MmId,
  madvise,
  PMD_DIRTY,
  PMD_YOUNG,
  pteBit,
  splitHugePmdOf,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { assembleMachine } from '../run/assemble.js';
import { atOnce } from '../run/create-process.js';
import { type RunOptions, runScenario, type ScenarioRun } from '../run/run-scenario.js';
import type { World } from '../run/world.js';
import type { Hardware } from './hardware.js';

function scenario(lines: string): ReturnType<typeof parseScenario> {
  const text = `format: thplab/scenario@1\nname: test\nmachine: { memory: 256M, tlb: kunpeng920 }\n${lines}`;
  return parseScenario(text, { path: 'test.yaml' });
}

function run(lines: string, options: RunOptions = {}): ScenarioRun {
  return runScenario(scenario(lines), options);
}

const HEAP = (size: string, populate: string): string =>
  `processes: [{ name: app, vmas: [{ name: heap, size: ${size}, populate: ${populate} }] }]\n`;

/** A world whose clock the test moves; nothing runs by itself. */
class Bench {
  readonly world: World;
  readonly hardware: Hardware;
  readonly mm: MmId;
  readonly first: number;
  nowNs = 0;

  constructor(lines: string) {
    this.world = assembleMachine(scenario(lines));
    if (this.world.hardware === undefined) throw new Error('no TLB');
    this.hardware = this.world.hardware;
    const [process] = this.world.processes.all;
    this.mm = process.mm;
    this.first = process.vmas.get('heap')?.start ?? 0;
    this.world.m.current = { nowNs: 0, cpu: 0, task: 0 };
  }

  /** Looks at a page after some time, as DAMON does: true if its bit is set; it is cleared then, without a flush. */
  look(afterNs: number, offset = 0): boolean {
    const { m } = this.world;
    this.nowNs += afterNs;
    m.current = { nowNs: this.nowNs, cpu: 0, task: 0 };
    const page = asBrand<Vpn>(this.first + offset);
    m.hooks.settleAccess(this.mm, page);
    const pmd = findPmd(m, this.mm, page);
    const table = findTable(m, this.mm, page);
    if (table === 0) {
      const young = (m.directory.entry[pmd] & PMD_YOUNG) !== 0;
      m.directory.entry[pmd] = (m.directory.entry[pmd] & ~(PMD_YOUNG | PMD_DIRTY)) >>> 0;
      return young;
    }
    const bit = pteBit(m, table, page % m.ptes);
    const young = getBit(m.pte.young, bit);
    m.pte.young[bit >>> 5] &= ~(1 << (bit & 31));
    return young;
  }
}

const SMALL = `${HEAP('16M', '{ order: 9 }')}workload: { process: app, pattern: uniform, rate: 100k, form: analytic }\n`;

describe('a bit that is looked at', () => {
  it('is set once by the first use through a cold TLB, and then no more (effect T1)', () => {
    const bench = new Bench(SMALL);
    expect(bench.look(0)).toBe(true); // as it was placed
    expect(bench.look(10e6)).toBe(true);
    for (let i = 0; i < 50; i++) expect(bench.look(5e6)).toBe(false);
  });

  it('is set again after a flush, by the next use', () => {
    const bench = new Bench(SMALL);
    bench.look(0);
    bench.look(10e6);
    expect(bench.look(5e6)).toBe(false);
    bench.world.m.hooks.flushTlb(bench.mm, asBrand(bench.first), asBrand(bench.first + 512));
    expect(bench.look(5e6)).toBe(true);
    expect(bench.look(5e6)).toBe(false);
  });

  it('is set for each page by itself once the huge page is split', () => {
    const bench = new Bench(
      `${HEAP('64M', '{ order: 9 }')}workload: { process: app, pattern: uniform, rate: 10M, form: analytic }\n`,
    );
    bench.look(0);
    bench.look(10e6);
    expect(bench.look(5e6, 3)).toBe(false);
    const { m } = bench.world;
    for (let page = bench.first; page < bench.first + 64 * 256; page += 512) {
      const vma = vmaAt(m, bench.mm, page);
      if (vma !== 0) atOnce(m, splitHugePmdOf(m, vma, asBrand<Vpn>(page)));
    }
    m.current = { nowNs: bench.nowNs, cpu: 0, task: 0 };
    bench.look(20e6, 3);
    // 16,384 entries for a TLB of 2048: each page is used 610 times a second, and seven of eight walk.
    const seen = Array.from({ length: 400 }, () => bench.look(5e6, 3)).filter((young) => young).length;
    expect(seen / 400).toBeGreaterThan(0.9);
  });

  it('is drawn from the seed: the same again, other with another', () => {
    const lines = `${HEAP('8M', 'full')}workload: { process: app, pattern: uniform, rate: 100k, form: analytic }\n`;
    const seen = (extra: string): string => {
      const bench = new Bench(lines + extra);
      return Array.from({ length: 200 }, (_, i) => (bench.look(3e6, i % 7) ? '1' : '0')).join('');
    };
    expect(seen('')).toBe(seen(''));
    expect(seen('')).not.toBe(seen('seed: 5\n'));
  });

  it('stays as it is where nobody makes accesses', () => {
    const bench = new Bench(
      `${HEAP('16M', 'full')}workload: { process: app, pattern: uniform, rate: 10M, form: analytic, size: 8M, offset: 0 }\n`,
    );
    bench.look(0, 4000);
    for (let i = 0; i < 20; i++) expect(bench.look(50e6, 4000)).toBe(false);
    expect(bench.look(0, 4)).toBe(true);
  });
});

describe('a bit that somebody else takes away', () => {
  it.each([MADV.COLD, MADV.FREE])('does not come back from accesses before that: madvise %s', (advice) => {
    for (const populate of ['full', '{ order: 9 }']) {
      const bench = new Bench(
        `${HEAP('4M', populate)}workload: { process: app, pattern: uniform, rate: 100k, form: analytic, for: 1s }\n`,
      );
      bench.world.m.current = { nowNs: 2e9, cpu: 0, task: 0 };
      atOnce(bench.world.m, madvise(bench.world.m, bench.mm, asBrand<Vpn>(bench.first), 1024, advice));
      expect(bench.look(3e9, 5)).toBe(false);
    }
  });
});

describe('programs', () => {
  it('take faults for what is not there, in both forms, and get it back when it is swapped out', () => {
    for (const form of ['exact', 'analytic']) {
      const { result } = run(
        `${HEAP('4M', 'none')}sysfs: { enabled: never }
workload: { process: app, pattern: sequential, rate: 20k, form: ${form} }
events: [{ at: 500ms, madvise: { process: app, vma: heap, advice: dontneed } }]
run: { for: 1s, khugepaged: false }`,
      );
      expect(result.processes[0].rss).toBe(4 * 2 ** 20);
      expect(result.processes[0].faults.count).toBe(2048);
      expect(result.invariants).toEqual([]);
    }
  });

  it('make accesses in their phases only', () => {
    const { result } = run(
      `${HEAP('4M', 'full')}workload:
  process: app
  rate: 10k
  form: exact
  start: 100ms
  phases: [{ for: 100ms, pattern: uniform }, { for: 200ms, idle: true }]
  repeat: true
run: { for: 1s, khugepaged: false }`,
    );
    // 100..200, 400..500, 700..800 ms, and the very end.
    expect(Math.abs((result.processes[0].tlb?.accesses ?? 0) - 3000)).toBeLessThan(10);
  });

  it('end with their process; its counts stay', () => {
    for (const form of ['exact', 'analytic']) {
      const { result } = run(
        `${HEAP('4M', 'full')}workload: { process: app, pattern: uniform, rate: 100k, form: ${form} }
events: [{ at: 200ms, exit: { process: app } }]
run: { for: 1s, khugepaged: false }`,
      );
      expect(Math.abs((result.processes[0].tlb?.accesses ?? 0) - 20_000)).toBeLessThan(200);
      expect(result.invariants).toEqual([]);
    }
  });

  it('heat what was in use when the run began, and nothing else', () => {
    const { world, result } = run(
      `${HEAP('8M', '{ pages: full, young: 0.1, seed: 4 }')}workload: { process: app, pattern: heat, rate: 100k, form: exact }
run: { for: 200ms, khugepaged: false }`,
    );
    const pages = world.hardware?.footprint(world.processes.all[0]);
    expect(pages?.entries).toBe(2048);
    // About 200 pages of 2048 fit into the TLB: each walks once.
    expect(result.processes[0].tlb?.walks).toBeGreaterThan(150);
    expect(result.processes[0].tlb?.walks).toBeLessThan(260);
  });

  it('slow down by what their walks cost, but keep their rate', () => {
    const { result } = run(
      `${HEAP('64M', 'full')}workload: { process: app, pattern: sequential, rate: 1M, form: exact }
run: { for: 100ms, khugepaged: false }`,
    );
    expect(result.processes[0].tlb).toMatchObject({ hitRate: 0, form: 'exact' });
    expect(result.processes[0].tlb?.accesses).toBeGreaterThan(99_000);
  });

  it('mark what khugepaged asks for: memory in use is collapsed, memory that nobody uses is not', () => {
    for (const form of ['exact', 'analytic']) {
      const { result } = run(
        `sysfs: { enabled: always, khugepaged/max_ptes_none: 511, khugepaged/scan_sleep_millisecs: 100 }
processes:
  - name: app
    vmas:
      - { name: used, size: 16M, populate: { young: 0 } }
      - { name: idle, size: 16M, populate: { young: 0 } }
workload: { process: app, vma: used, pattern: uniform, rate: 200k, form: ${form} }
run: { for: 2s }`,
      );
      const [used, idle] = result.processes[0].vmas;
      expect([used.hugeOfSize, idle.hugeOfSize]).toEqual([1, 0]);
      expect(result.invariants).toEqual([]);
    }
  });
});

describe('a workload that cannot be', () => {
  it.each([
    ['pattern: uniform, rate: 1000M, form: exact', 'this makes about 10,000,000,000 accesses one by one'],
    ['masim: nothing.cfg, rate: 1', 'the file "nothing.cfg" was not read'],
    ['record: nothing.data', 'the file "nothing.data" was not read'],
  ])('is refused: %s', (entry, message) => {
    const lines = `${HEAP('4M', 'full')}workload: [{ process: app, ${entry} }]\nrun: { for: 10s, khugepaged: false }`;
    expect(() => run(lines)).toThrow(message);
  });

  it('is refused where a region of masim has no place', () => {
    const lines = `${HEAP('4M', 'full')}workload: [{ process: app, masim: a.cfg, rate: 1k }]\nrun: { for: 1s, khugepaged: false }`;
    const given = (text: string): (() => unknown) => {
      return () => run(lines, { files: { masim: new Map([['a.cfg', text]]) } });
    };
    expect(given('heap, 4194304\n\none\n10\nheap, 1, 64, 1\n')).not.toThrow();
    expect(given('other, 4096\n\none\n10\nother, 1, 64, 1\n')).toThrow('has no VMA "other"');
    expect(given('heap, 9000000\n\none\n10\nheap, 1, 64, 1\n')).toThrow('does not fit into its place');
  });
});

describe('misses by block', () => {
  it.each(['exact', 'analytic'])('say where walks happen, in the last whole second: %s', (form) => {
    const { world } = run(
      `${HEAP('64M', 'full')}workload: { process: app, pattern: uniform, rate: 200k, form: ${form}, size: 32M, offset: 8M }
run: { for: 2.5s, khugepaged: false }`,
    );
    const [process] = world.processes.all;
    const first = (process.vmas.get('heap')?.start ?? 0) + 2048;
    const misses = [...(world.hardware?.misses(process.mm) ?? [])];
    expect(misses.map(({ page }) => (page - first) / 512)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]);
    // 200,000 accesses to 8192 pages, three of four walk.
    const total = misses.reduce((sum, one) => sum + one.misses, 0);
    expect(Math.abs(total - 150_000)).toBeLessThan(3000);
  });
});
