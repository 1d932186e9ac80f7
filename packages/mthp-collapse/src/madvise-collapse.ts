/**
 * MADV_COLLAPSE (`madvise_collapse`, khugepaged spec 13.2): one attempt at the PMD order for each PMD range, at once and
 * without limits.
 */
import { ERRNO, lruAddDrainAll, type MmId, mmapReadLock, TVA, type VmaId, type Vpn, vmaAt } from '@thplab/mm-model';
import { type Procedure, preempt, spend } from '@thplab/sync';
import type { CollapseContext } from './collapse-context.js';
import { type CollapseControl, madviseControl } from './collapse-control.js';
import { collapseSinglePmd } from './collapse-single-pmd.js';
import { madviseContinues, madviseCounts, madviseErrno } from './madvise-results.js';
import { hugepageVmaRevalidate } from './passes/revalidate.js';
import { collapsePossible } from './possible-orders.js';
import { SCAN, type ScanResult } from './results.js';

/** Makes the machine's MADV_COLLAPSE work as the context's generation does it. */
export function installMadviseCollapse(ctx: CollapseContext): void {
  ctx.m.hooks.madviseCollapse = (mm, start, end) => madviseCollapse(ctx, mm, start, end);
}

/**
 * Collapses the PMD ranges that lie within [start, end) of the VMA at `start`. mmap_lock is held for reading at entry and
 * exit, but not throughout. Gives 0 if all of them are huge now, else the negative errno of the last failure: ENOMEM (no
 * huge page to be had), EBUSY (empty entries in a userfaultfd VMA; memory cgroup), EAGAIN (pinned, locked or isolated
 * pages: try again), EINVAL (everything else).
 */
export function* madviseCollapse(ctx: CollapseContext, mm: MmId, start: Vpn, end: Vpn): Procedure<number> {
  const { m, generation } = ctx;
  const vma = vmaAt(m, mm, start);
  if (vma === 0 || !collapsePossible(ctx, vma, TVA.forcedCollapse)) return -ERRNO.EINVAL;
  const from = Math.ceil(start / m.ptes) * m.ptes;
  const to = Math.floor(end / m.ptes) * m.ptes;
  const invalid = generation.madvise.invertedRangeIsInvalid;
  // Before the rounded range was tested, it went through the motions: pages on their way to the LRU are flushed out.
  if (from >= to && !invalid) return 0;
  yield* lruAddDrainAll(m);
  if (from > to) return -ERRNO.EINVAL;
  const run = { vma, from, to, huge: 0, lastFailure: SCAN.FAIL as ScanResult };
  yield* collapseRanges(ctx, madviseControl(ctx), mm, run);
  if (run.huge === (run.to - run.from) / m.ptes) return 0;
  const errno = madviseErrno(run.lastFailure, generation.madvise);
  return errno === 0 ? -ERRNO.EINVAL : -ERRNO[errno];
}

/** One call on its way. */
interface MadviseRun {
  vma: VmaId;
  readonly from: number;
  /** One past the last page; shrinks if the VMA has. */
  to: number;
  /** PMD ranges that are huge now. */
  huge: number;
  lastFailure: ScanResult;
}

/** mmap_lock is held for reading at entry and exit. */
function* collapseRanges(ctx: CollapseContext, cc: CollapseControl, mm: MmId, run: MadviseRun): Procedure<void> {
  const { m, generation } = ctx;
  let held = true;
  for (let page = run.from; page < run.to; page += m.ptes) {
    if (!held) {
      yield preempt();
      yield* mmapReadLock(m, mm);
      held = true;
      const gone = lookAgain(ctx, cc, mm, page as Vpn, run);
      if (gone !== SCAN.SUCCEED) {
        run.lastFailure = gone;
        break;
      }
    }
    yield spend(m.costs.scanVisit);
    const outcome = yield* collapseSinglePmd(ctx, cc, run.vma, page as Vpn);
    held = !outcome.lockDropped;
    if (madviseCounts(outcome.result)) run.huge++;
    else run.lastFailure = outcome.result;
    if (!madviseContinues(outcome.result, generation.madvise)) break;
  }
  if (!held) yield* mmapReadLock(m, mm);
}

/** mmap_lock was given back meanwhile: the VMA may be another, smaller, or not for huge pages any more. */
function lookAgain(ctx: CollapseContext, cc: CollapseControl, mm: MmId, page: Vpn, run: MadviseRun): ScanResult {
  const { m } = ctx;
  const result = hugepageVmaRevalidate(ctx, cc, { mm, page, order: m.pmdOrder, expectAnon: false }, run);
  if (result === SCAN.SUCCEED) run.to = Math.min(run.to, Math.floor(m.vma.end[run.vma] / m.ptes) * m.ptes);
  return result;
}
