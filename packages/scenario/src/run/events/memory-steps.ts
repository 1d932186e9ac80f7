/** Events by which programs touch memory: faults, access patterns, pins, folio locks, swap-out. */
import { asBrand } from '@thplab/arena';
import {
  ERRNO,
  FAULT,
  type FaultResult,
  folioHead,
  pinPages,
  swapOutFolio,
  VM,
  type Vpn,
  vmaAt,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { now, type Procedure, preempt, sleep, spend } from '@thplab/sync';
import { formatCount, type PagePattern, type Span } from '../../format/index.js';
import { expectedPages } from '../../format/normalise-pages.js';
import { folioAt } from '../held-folios.js';
import { asUser } from '../mm-user.js';
import { patternPages } from '../patterns.js';
import type { PageSpan, Process } from '../process-table.js';
import { scenarioError } from '../run-error.js';
import { randomFor } from '../seeds.js';
import { touchPage } from '../touch.js';
import type { World } from '../world.js';
import { choiceKey, type Execution, type Plan, type Step } from './step.js';

/** Touches between two preemption points. */
const TOUCH_BATCH = 64;
/** Pages that one event can name: 256 GiB of 4K pages. */
const MOST_PAGES = 2 ** 26;
/** An access pattern does not wake up more often than this, ns. */
const LEAST_PAUSE_NS = 10_000;

/** Pages of an action in each process that it concerns, as absolute page numbers. */
export function targets(
  world: World,
  action: { readonly span: Span; readonly pages: PagePattern },
  execution: Execution,
): { readonly span: PageSpan; readonly pages: Float64Array }[] {
  return world.processes.spans(action.span).map((span) => {
    const expected = expectedPages(action.pages, span.pages, world.m.ptes);
    if (expected > MOST_PAGES) {
      const what = `this event names about ${formatCount(Math.round(expected))} pages`;
      throw scenarioError(world.locate, execution.event.key, what, `expected at most ${formatCount(MOST_PAGES)}`);
    }
    const seed = 'seed' in action.pages ? action.pages.seed : null;
    const random = randomFor(world.scenario.seed, choiceKey(execution, span.process), seed);
    const pages = patternPages(action.pages, { ...span, ptes: world.m.ptes }, random);
    return { span, pages: pages.map((page) => span.start + page) };
  });
}

export const planFault: Plan<'fault'> = (world, action, execution) =>
  targets(world, action, execution).map(({ span, pages }): Step => {
    const { process } = span;
    const random = randomFor(world.scenario.seed, `${choiceKey(execution, process)}.order`);
    if (action.order === 'descending') pages.reverse();
    if (action.order === 'random') shuffle(pages, (limit) => random.below(limit));
    return {
      process,
      procedure: function* (): Procedure<number> {
        let worst: FaultResult = FAULT.ok;
        for (let i = 0; i < pages.length; i++) {
          if (action.over > 0) yield* sleepUntil(execution.atNs + (action.over * i) / pages.length);
          const result = yield* touchPage(world.m, process, pages[i], action.write, world.hardware?.tlb);
          if (result !== FAULT.ok) worst = result;
          if ((i + 1) % TOUCH_BATCH === 0) yield preempt();
          // Without memory the program does not come to its next page.
          if (process.exitNs !== null || result === FAULT.oom) break;
        }
        return faultErrno(worst);
      },
    };
  });

export const planAccess: Plan<'access'> = (world, action, execution) =>
  targets(world, action, execution).map(({ span, pages }): Step => {
    const { process } = span;
    const end = action.duration === null ? execution.endNs : execution.atNs + action.duration;
    const batch = Math.max(1, Math.ceil((pages.length * LEAST_PAUSE_NS) / action.every));
    return {
      process,
      procedure: function* (): Procedure<number> {
        if (pages.length === 0) return 0;
        let worst: FaultResult = FAULT.ok;
        for (let roundNs = execution.atNs; roundNs < end; roundNs += action.every) {
          for (let i = 0; i < pages.length; i += batch) {
            const dueNs = roundNs + (action.every * i) / pages.length;
            if (dueNs >= end) break;
            yield* sleepUntil(dueNs);
            if (process.exitNs !== null) return faultErrno(worst);
            const to = Math.min(pages.length, i + batch);
            for (let at = i; at < to; at++) {
              const result = yield* touchPage(world.m, process, pages[at], action.write, world.hardware?.tlb);
              if (result !== FAULT.ok) worst = result;
            }
            yield spend((to - i) * world.m.costs.setPte);
          }
        }
        return faultErrno(worst);
      },
    };
  });

export const planPin: Plan<'pin'> = (world, action, execution) =>
  targets(world, action, execution).map(({ span, pages }): Step => {
    const { process } = span;
    return {
      process,
      procedure: function* (): Procedure<number> {
        const error = yield* asUser(world.m, process, () => pinEach(world, process, pages));
        if (action.duration === null) return error;
        yield sleep(action.duration);
        for (const page of pages) world.setUp.held.unpin(process.mm, page);
        return error;
      },
    };
  });

function* pinEach(world: World, process: Process, pages: Float64Array): Procedure<number> {
  const { m, setUp } = world;
  let error = 0;
  for (const page of pages) {
    const vma = vmaAt(m, process.mm, page);
    const write = vma !== 0 && (m.vma.flags[vma] & VM.WRITE) !== 0;
    const pins = yield* pinPages(m, process.mm, asBrand<Vpn>(page), 1, { write });
    if (pins.error !== 0) error = pins.error;
    for (const pfn of pins.frames) if (pfn !== ZERO_FRAME) setUp.held.keepPin(process.mm, page, folioHead(m, pfn));
  }
  // It exited meanwhile: nobody is left to take these back.
  if (process.exitNs !== null) setUp.held.releaseAll(process.mm);
  return error;
}

export const planUnpin: Plan<'unpin'> = (world, action, execution) =>
  targets(world, action, execution).map(
    ({ span, pages }): Step => ({
      process: span.process,
      procedure: function* (): Procedure<number> {
        yield spend(world.m.costs.syscall);
        return release(pages, (page) => world.setUp.held.unpin(span.process.mm, page));
      },
    }),
  );

export const planLock: Plan<'lock'> = (world, action, execution) =>
  targets(world, action, execution).map(
    ({ span, pages }): Step => ({
      process: span.process,
      procedure: function* (): Procedure<number> {
        const { m, setUp } = world;
        const { mm } = span.process;
        yield spend(m.costs.syscall);
        let error = 0;
        for (const page of pages) {
          const head = folioAt(m, mm, asBrand<Vpn>(page));
          if (head === 0) error = -ERRNO.ENOENT;
          // Pages of one folio share its lock.
          else setUp.held.lock(mm, page, head);
        }
        if (action.duration === null) return error;
        yield sleep(action.duration);
        for (const page of pages) setUp.held.unlock(mm, page);
        return error;
      },
    }),
  );

export const planUnlock: Plan<'unlock'> = (world, action, execution) =>
  targets(world, action, execution).map(
    ({ span, pages }): Step => ({
      process: span.process,
      procedure: function* (): Procedure<number> {
        yield spend(world.m.costs.syscall);
        return release(pages, (page) => world.setUp.held.unlock(span.process.mm, page));
      },
    }),
  );

export const planSwapout: Plan<'swapout'> = (world, action, execution) =>
  targets(world, action, execution).map(
    ({ span, pages }): Step => ({
      process: span.process,
      procedure: () => asUser(world.m, span.process, () => swapOutEach(world, span.process, pages)),
    }),
  );

function* swapOutEach(world: World, process: Process, pages: Float64Array): Procedure<number> {
  const { m } = world;
  let kept = 0;
  for (const page of pages) {
    const head = folioAt(m, process.mm, asBrand<Vpn>(page));
    if (head !== 0 && !(yield* swapOutFolio(m, head))) kept++;
    yield preempt();
  }
  return kept === 0 ? 0 : -ERRNO.EAGAIN;
}

/** Undoes what was done through each page; pages with nothing to undo make it ENOENT. */
function release(pages: Float64Array, undo: (page: number) => boolean): number {
  let missing = 0;
  for (const page of pages) if (!undo(page)) missing++;
  return missing === pages.length && missing > 0 ? -ERRNO.ENOENT : 0;
}

function* sleepUntil(atNs: number): Procedure<void> {
  const nowNs = yield now();
  if (atNs > nowNs) yield sleep(atNs - nowNs);
}

/** What a system call that touches user memory would return for it. */
function faultErrno(result: FaultResult): number {
  if (result === FAULT.ok) return 0;
  if (result === FAULT.oom) return -ERRNO.ENOMEM;
  return result === FAULT.userfault ? -ERRNO.EAGAIN : -ERRNO.EFAULT;
}

function shuffle(pages: Float64Array, below: (limit: number) => number): void {
  for (let i = pages.length - 1; i > 0; i--) {
    const j = below(i + 1);
    const held = pages[i];
    pages[i] = pages[j];
    pages[j] = held;
  }
}
