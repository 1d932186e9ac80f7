/** What the kernel's selftests run beside DAMON: processes whose memory is in use by a known rule (DAMON spec 11.3). */
import type { MmId } from '@thplab/mm-model';
import { sleep } from '@thplab/sync';
import type { AddressRange } from '../monitor/regions.js';
import { type DamonWorld, fillBase, keepTouching, makeProcess, PAGE_SIZE, touch } from './damon-world.js';

/** First page of the memory. */
const BASE = 0x80000;

/** A process with regions side by side, all in base pages. */
export interface AccessedMemory {
  readonly mm: MmId;
  readonly range: AddressRange;
  /** The parts, ascending. */
  readonly parts: readonly AddressRange[];
}

/** Regions one at a time, in turn, for ever (`access_memory`). */
export function accessMemory(w: DamonWorld, regions: number, regionBytes: number, msEach: number): AccessedMemory {
  const memory = regionsOf(w, regions, regionBytes);
  const pages = regionBytes / PAGE_SIZE;
  w.executor.spawn('access_memory', function* () {
    for (let ms = 0; ; ms++) {
      touch(w.m, memory.mm, BASE + (Math.floor(ms / msEach) % regions) * pages, pages);
      yield sleep(1_000_000);
    }
  });
  return memory;
}

/** Every second region, from the first on, all at once, for ever (`access_memory_even`). */
export function accessMemoryEven(w: DamonWorld, regions: number, regionBytes: number): AccessedMemory {
  const memory = regionsOf(w, regions, regionBytes);
  const pages = regionBytes / PAGE_SIZE;
  for (let i = 0; i < regions; i += 2) keepTouching(w, memory.mm, BASE + i * pages, pages);
  return memory;
}

function regionsOf(w: DamonWorld, regions: number, regionBytes: number): AccessedMemory {
  const pages = regionBytes / PAGE_SIZE;
  const { mm, vma } = makeProcess(w, BASE, regions * pages);
  fillBase(w, vma, BASE, regions * pages);
  const part = (i: number, count = 1): AddressRange => ({
    start: BASE * PAGE_SIZE + i * regionBytes,
    end: BASE * PAGE_SIZE + (i + count) * regionBytes,
  });
  return { mm, range: part(0, regions), parts: Array.from({ length: regions }, (_, i) => part(i)) };
}
