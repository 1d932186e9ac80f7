import { describe, expect, it } from 'vitest';
import { exactTimer, khugepagedEnter, readSysfs, timerWheel, writeSysfs } from './index.js';
import { fill, makeProcess, makeSchedulerWorld } from './testing/scheduler-world.js';

const N = 512;
const S = 1e9;

describe('the thread', () => {
  it('exists exactly while some order is enabled', () => {
    const w = makeSchedulerWorld();
    const running = (): number => w.k.t.khugepaged.running[0];
    expect(running()).toBe(1);
    w.write('enabled', 'never');
    expect(running()).toBe(0);
    w.write('hugepages-64kB/enabled', 'always');
    expect(running()).toBe(1);
    w.write('hugepages-64kB/enabled', 'never');
    expect(running()).toBe(0);
  });

  it('is started and stopped by the files of shared memory too', () => {
    const w = makeSchedulerWorld();
    const running = (): number => w.k.t.khugepaged.running[0];
    w.write('enabled', 'never');
    w.write('shmem_enabled', 'advise');
    expect(running()).toBe(1);
    w.write('shmem_enabled', 'never');
    expect(running()).toBe(0);
    w.write('hugepages-2048kB/shmem_enabled', 'always');
    expect(running()).toBe(1);
  });

  it('is not started by mTHP sizes alone before the mTHP series', () => {
    const w = makeSchedulerWorld({ profile: 'v6.18' });
    w.write('enabled', 'never');
    w.write('hugepages-64kB/enabled', 'always');
    expect(w.k.t.khugepaged.running[0]).toBe(0);
  });

  it('gives up its cursor when it stops, and keeps the list', () => {
    const w = makeSchedulerWorld();
    w.write('khugepaged/pages_to_scan', '1');
    const { mm, vma } = makeProcess(w, 0x10000, 4 * N);
    fill(w, vma, 0x10000, 4 * N);
    w.write('enabled', 'always');
    w.run(() => khugepagedEnter(w.k, mm));
    w.executor.run({ untilNs: S });
    expect(w.k.t.khugepaged.cursorSlot[0]).not.toBe(0);
    w.write('enabled', 'never');
    expect(w.k.t.khugepaged.cursorSlot[0]).toBe(0);
    expect(w.k.slots.isEmpty(0)).toBe(false);
  });

  it('sleeps its scan sleep through a mere wake-up, but not through a write to a sleep file', () => {
    const w = makeSchedulerWorld();
    w.write('enabled', 'always');
    const first = makeProcess(w, 0x10000, N);
    w.run(() => khugepagedEnter(w.k, first.mm));
    w.executor.run({ untilNs: S });
    const passes = w.k.t.khugepaged.passes[0];
    const second = makeProcess(w, 0x10000, N);
    w.run(() => khugepagedEnter(w.k, second.mm));
    w.write('hugepages-64kB/enabled', 'always');
    w.executor.run({ untilNs: 2 * S });
    expect(w.k.t.khugepaged.passes[0]).toBe(passes);
    w.write('khugepaged/scan_sleep_millisecs', '10000');
    w.executor.run({ untilNs: 3 * S });
    expect(w.k.t.khugepaged.passes[0]).toBe(passes + 1);
  });

  it('is woken by the first registration while the list is empty', () => {
    const w = makeSchedulerWorld();
    w.write('enabled', 'always');
    w.executor.run({ untilNs: S });
    const { mm, vma } = makeProcess(w, 0x10000, N);
    fill(w, vma, 0x10000, N);
    w.run(() => khugepagedEnter(w.k, mm));
    w.executor.run({ untilNs: 1.01 * S });
    expect(readSysfs(w.k, 'khugepaged/pages_collapsed')).toBe('1\n');
  });
});

describe('sysfs', () => {
  it('answers bad writes with the errno of the file, and changes nothing', () => {
    const w = makeSchedulerWorld();
    const write = (path: string, text: string): number => w.run(() => writeSysfs(w.k, path, text)).errno;
    expect(write('khugepaged/max_ptes_none', '512')).toBe(-22);
    expect(write('khugepaged/pages_collapsed', '1')).toBe(-13);
    expect(write('enabled', 'sometimes')).toBe(-22);
    expect(readSysfs(w.k, 'enabled')).toBe('always [madvise] never\n');
    expect(readSysfs(w.k, '/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none')).toBe('511\n');
  });

  it('names the nearest file when there is none of that name', () => {
    const w = makeSchedulerWorld();
    expect(() => readSysfs(w.k, 'khugepaged/max_pte_none')).toThrow(/did you mean .*max_ptes_none/);
  });
});

describe('timers', () => {
  it('of a kernel at 250 ticks make ten seconds into 10.24', () => {
    const wheel = timerWheel(250);
    expect(wheel(10.24 * S, 10 * S)).toBe(20.48 * S);
    expect(exactTimer(10.24 * S, 10 * S)).toBe(20.24 * S);
    // Short spans stay within the wheel's finest level.
    expect(wheel(0, 0.1 * S)).toBe(0.1 * S);
  });
});
