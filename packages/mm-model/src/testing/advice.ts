/** Processes for tests of madvise, and what their folios look like. */
import type { MmId, Vpn } from '../brands.js';
import { ORDER_MASK, VM } from '../flags.js';
import type { Advice } from '../madvise/advice.js';
import { madvise } from '../madvise.js';
import { frameOf } from './pages.js';
import { makeWorld, mapAt, touch, type World } from './world.js';

/** madvise, run at once. */
export function advise(w: World, start: number, pages: number, advice: Advice, mm: MmId = w.mm): number {
  return w.run(madvise(w.m, mm, start as Vpn, pages, advice));
}

/** Flags of the folio that a page is mapped to. */
export function folioFlags(w: World, page: number): number {
  const frame = frameOf(w, page);
  return w.m.frame.flags[frame - (frame % (1 << (w.m.frame.flags[frame] & ORDER_MASK)))];
}

/** Order of the folio that a page is mapped to. */
export function orderAt(w: World, page: number): number {
  return w.m.frame.flags[frameOf(w, page)] & ORDER_MASK;
}

/** A process with written pages from 512 on. */
export function withPages(pages = 16): World {
  const w = makeWorld();
  mapAt(w, 512, pages);
  touch(w, w.mm, 512, 512 + pages);
  return w;
}

/** A process with a written huge page at 512. */
export function withHugePage(): World {
  const w = makeWorld();
  mapAt(w, 512, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
  touch(w, w.mm, 512, 1024);
  return w;
}
