/** Events that are system calls on ranges: madvise, mmap, munmap, mremap, mprotect, mlock, userfaultfd. */
import { asBrand } from '@thplab/arena';
import {
  type Advice,
  MADV,
  madvise,
  mlock,
  mprotect,
  mremap,
  munlock,
  munmap,
  userfaultfdPoison,
  userfaultfdRegister,
  userfaultfdUnregister,
  userfaultfdWriteProtect,
  type Vpn,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import type { MadviseAdvice, Span, VmaSpec } from '../../format/index.js';
import { adviseVma, mapVma, populateVma, protectionBits, uffdBits } from '../create-process.js';
import { asUser } from '../mm-user.js';
import type { PageSpan, Process } from '../process-table.js';
import type { World } from '../world.js';
import { choiceKey, type Plan, type Step } from './step.js';

const ADVICE: Readonly<Record<MadviseAdvice, Advice>> = {
  hugepage: MADV.HUGEPAGE,
  nohugepage: MADV.NOHUGEPAGE,
  dontneed: MADV.DONTNEED,
  free: MADV.FREE,
  cold: MADV.COLD,
  pageout: MADV.PAGEOUT,
  populate_read: MADV.POPULATE_READ,
  populate_write: MADV.POPULATE_WRITE,
  collapse: MADV.COLLAPSE,
  guard_install: MADV.GUARD_INSTALL,
  guard_remove: MADV.GUARD_REMOVE,
};

/** One step per process that the span's name means. */
function perSpan(world: World, span: Span, call: (span: PageSpan, start: Vpn) => Procedure<number>): Step[] {
  return world.processes.spans(span).map((one) => ({
    process: one.process,
    procedure: () => asUser(world.m, one.process, () => call(one, asBrand<Vpn>(one.start))),
  }));
}

export const planMadvise: Plan<'madvise'> = (world, action) =>
  perSpan(world, action.span, (span, start) =>
    madvise(world.m, span.process.mm, start, span.pages, ADVICE[action.advice]),
  );

export const planMunmap: Plan<'munmap'> = (world, action) =>
  perSpan(world, action.span, (span, start) => munmap(world.m, span.process.mm, start, span.pages));

export const planMremap: Plan<'mremap'> = (world, action) =>
  perSpan(world, action.span, function* (span, start) {
    const pages = action.size / world.scenario.machine.pageSize;
    const to = action.to === null ? {} : { to: asBrand<Vpn>(action.to / world.scenario.machine.pageSize) };
    const at = yield* mremap(world.m, span.process.mm, start, span.pages, pages, { mayMove: true, ...to });
    const name = action.span.vma;
    const named = name === null ? undefined : span.process.vmas.get(name);
    // The name moves with a mapping that was moved as a whole.
    if (at >= 0 && name !== null && named?.start === span.start && named.pages === span.pages) {
      span.process.vmas.set(name, { start: at, pages });
    }
    return Math.min(0, at);
  });

export const planMprotect: Plan<'mprotect'> = (world, action) =>
  perSpan(world, action.span, (span, start) =>
    mprotect(world.m, span.process.mm, start, span.pages, protectionBits(action.prot)),
  );

export const planMlock: Plan<'mlock'> = (world, action) =>
  perSpan(world, action.span, (span, start) => mlock(world.m, span.process.mm, start, span.pages));

export const planMunlock: Plan<'munlock'> = (world, action) =>
  perSpan(world, action.span, (span, start) => munlock(world.m, span.process.mm, start, span.pages));

export const planUffd: Plan<'uffd'> = (world, action) =>
  perSpan(world, action.span, (span, start) => {
    const { m } = world;
    const { mm } = span.process;
    switch (action.call) {
      case 'register':
        return userfaultfdRegister(m, mm, start, span.pages, uffdBits(action.modes));
      case 'unregister':
        return userfaultfdUnregister(m, mm, start, span.pages);
      case 'writeprotect':
        return userfaultfdWriteProtect(m, mm, start, span.pages, true);
      case 'unprotect':
        return userfaultfdWriteProtect(m, mm, start, span.pages, false);
      case 'poison':
        return userfaultfdPoison(m, mm, start, span.pages);
    }
  });

export const planMmap: Plan<'mmap'> = (world, action, execution) =>
  world.processes.named(action.process).map(
    (process): Step => ({
      process,
      procedure: () =>
        asUser(world.m, process, () => mapAndFill(world, process, action.vma, choiceKey(execution, process))),
    }),
  );

function* mapAndFill(world: World, process: Process, spec: VmaSpec, seedKey: string): Procedure<number> {
  const { setUp } = world;
  const start = yield* mapVma(setUp, process.mm, spec);
  if (start < 0) return start;
  const range = { start, pages: spec.size / setUp.pageSize };
  process.vmas.set(spec.name, range);
  populateVma(setUp, process.mm, spec, range, seedKey);
  yield* adviseVma(setUp, process.mm, spec, range);
  return 0;
}
