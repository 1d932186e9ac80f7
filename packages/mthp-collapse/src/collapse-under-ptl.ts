/**
 * One attempt below the PMD order as Dev Jain's v1 made it (`vma_collapse_anon_folio`, khugepaged spec 15.4): under mmap_lock
 * for reading and the PTE lock, with the table in its PMD throughout. It is a generation of its own (`installLock`
 * mmapReadPtl), kept for what is wrong with it: the data is copied while processors can still write the sources through
 * their TLBs (B3), and a failure gives back one lock of several (B4).
 *
 * GUP-fast and the hardware need no lock, so the PTE lock does not keep them away: only an empty PMD would.
 */
import { type AnonVmaId, anonVmaLock, findPmd, pmdTable } from '@thplab/mm-model';
import { acquire, type Procedure, preempt, READ, release, spend, WRITE } from '@thplab/sync';
import type { CollapseContext } from './collapse-context.js';
import type { CollapseControl } from './collapse-control.js';
import { COLLAPSE_POINT } from './collapse-points.js';
import { copyContents, copyCost } from './passes/copy.js';
import { installPtes } from './passes/install.js';
import { collapseHugePageIsolate } from './passes/isolate.js';
import { releaseIsolated } from './passes/release.js';
import { hugepageVmaRevalidate } from './passes/revalidate.js';
import { collapseHugePageSwapin } from './passes/swapin.js';
import { unmapSources } from './passes/unmap-sources.js';
import { checkPmdState } from './pmd-state.js';
import { SCAN, type ScanResult } from './results.js';

/** Collapses the window that `cc.attempt` is aimed at, whose folio is allocated. Entered and left without locks. */
export function* collapseUnderPtl(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  const mmapLock = m.locks.mmapLock.ref(a.mm);
  yield acquire(mmapLock, READ);
  let result = hugepageVmaRevalidate(ctx, cc, a, a);
  if (result === SCAN.SUCCEED) {
    a.pmd = findPmd(m, a.mm, a.page);
    result = checkPmdState(m, generation, a.pmd);
  }
  if (result === SCAN.SUCCEED && a.unmapped > 0) {
    result = yield* collapseHugePageSwapin(ctx, cc);
    // A pass that failed has given mmap_lock back itself.
    if (result !== SCAN.SUCCEED) return result;
  }
  if (result === SCAN.SUCCEED) result = yield* collapseTable(ctx, cc);
  yield release(mmapLock, READ);
  return result;
}

/** mmap_lock R at entry and exit, anon_vma and PTE lock in between, unless a defect leaves them held. */
function* collapseTable(ctx: CollapseContext, cc: CollapseControl): Procedure<ScanResult> {
  const { m, generation } = ctx;
  const a = cc.attempt;
  const anonVma = anonVmaLock(m, m.vma.anonVma[a.vma] as AnonVmaId);
  a.table = pmdTable(m.directory.entry[a.pmd]);
  const pteLock = m.locks.pteLock.ref(a.table);
  yield acquire(anonVma, WRITE);
  yield acquire(pteLock);
  const result = collapseHugePageIsolate(ctx, cc);
  yield spend(a.folios * m.costs.isolatePage);
  if (result !== SCAN.SUCCEED) {
    if (generation.leaksLocksOnFailure === true) return result;
    yield release(pteLock);
    yield release(anonVma, WRITE);
    return result;
  }
  yield release(anonVma, WRITE);
  const copied = copyContents(m, a);
  yield spend(copyCost(m, a, copied));
  yield preempt(COLLAPSE_POINT.copiedUnderPtl);
  if (copied < a.pages) releaseIsolated(m, a);
  else {
    unmapSources(m, a);
    installPtes(m, generation, a);
  }
  yield release(pteLock);
  return copied < a.pages ? SCAN.COPY_MC : SCAN.SUCCEED;
}
