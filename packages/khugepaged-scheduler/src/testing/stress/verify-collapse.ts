/**
 * Rules for collapses, checked while nothing else runs: a window that was collapsed raises the process's memory by exactly
 * its empty and zero-page entries, and nothing else fills a page (I2); its folio has one reference for each entry (I5).
 */
import {
  type FileId,
  linearIndex,
  type MmId,
  NO_FRAME,
  type Pfn,
  pageCacheLookup,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { SCAN } from '@thplab/mthp-collapse';
import { readAddressSpace, readPage, type SeenPage } from './page-reader.js';
import { type SeenProcesses, StressFailure } from './verify.js';
import type { Attempt, World } from './world.js';

/** Starts to watch; gives what is to be called with the state after the step. */
export function verifyCollapses(w: World, alone: boolean): (after: SeenProcesses) => void {
  w.attempts = [];
  if (!alone) {
    w.onAttempt = undefined;
    return () => {};
  }
  const before = new Map(w.expected.processes.map(({ mm }) => [mm, readAddressSpace(w.rig.m, mm)]));
  const rss = new Map(w.expected.processes.map(({ mm }) => [mm, memoryOf(w, mm)]));
  w.onAttempt = (attempt) => {
    const { mm } = attempt;
    const pages = before.get(mm);
    if (pages === undefined) return;
    const grown = memoryOf(w, mm) - (rss.get(mm) ?? 0);
    const allowed = attempt.result === SCAN.SUCCEED ? checkWindow(w, attempt, pages) : 0;
    if (grown > allowed) fail(w, attempt, `memory grew by ${grown} pages instead of ${allowed}`);
    rss.set(mm, memoryOf(w, mm));
    before.set(mm, readAddressSpace(w.rig.m, mm));
  };
  return () => {
    w.onAttempt = undefined;
  };
}

/** Pages in memory or swapped out. Reclaim may lower it in an attempt (lazily freed pages), nothing may raise it. */
function memoryOf(w: World, mm: MmId): number {
  return w.rig.m.mm.rssAnon[mm] + w.rig.m.mm.swapEnts[mm];
}

/** Checks a window that was just collapsed; gives how many of its entries were empty or zero pages. */
function checkWindow(w: World, attempt: Attempt, before: ReadonlyMap<number, SeenPage>): number {
  const { m } = w.rig;
  const { mm, page, order } = attempt;
  const pages = 1 << order;
  const vma = vmaAt(m, mm, page);
  if (vma !== 0 && m.vma.file[vma] !== 0) return checkCachedRange(w, attempt, vma);
  const first = readPage(m, mm, page);
  if (first?.kind !== 'page') return fail(w, attempt, 'its first page is not mapped');
  const head = first.where;
  if (head % pages !== 0 || head === NO_FRAME) return fail(w, attempt, `frame ${head} begins no folio of the order`);
  if ((m.frame.flags[head] & 0xf) !== order)
    return fail(w, attempt, `the folio has order ${m.frame.flags[head] & 0xf}`);
  const references = m.frame.refcount[head as Pfn];
  const wanted = order === m.pmdOrder ? 1 : pages;
  if (references !== wanted)
    return fail(w, attempt, `the fresh folio has ${references} references instead of ${wanted}`);
  let empty = 0;
  for (let i = 0; i < pages; i++) {
    const now = readPage(m, mm, page + i);
    if (now?.kind !== 'page' || now.where !== head + i) return fail(w, attempt, `page ${page + i} is not in the folio`);
    const was = before.get(page + i);
    if (was === undefined || was.kind === 'zero') empty++;
  }
  return empty;
}

/** A range of a file is collapsed in the page cache, and mapped by nobody yet: the process's own memory stays as it is. */
function checkCachedRange(w: World, attempt: Attempt, vma: VmaId): number {
  const { m } = w.rig;
  const pages = 1 << attempt.order;
  const start = linearIndex(m, vma, attempt.page as Vpn);
  const head = pageCacheLookup(m, m.vma.file[vma] as FileId, start);
  if ((m.frame.flags[head] & 0xf) !== attempt.order || m.frame.index[head] !== start) {
    return fail(w, attempt, `the page cache holds frame ${head} at page ${start}, which begins no folio of the order`);
  }
  const references = m.frame.refcount[head];
  if (references !== pages) return fail(w, attempt, `the fresh folio has ${references} references instead of ${pages}`);
  return 0;
}

function fail(w: World, { mm, page, order, result }: Attempt, what: string): never {
  const name = Object.entries(SCAN).find(([, value]) => value === result)?.[0] ?? result;
  throw new StressFailure(`mm ${mm}, window at ${page} of order ${order} (${name}), ${w.setup.profile}: ${what}`);
}
