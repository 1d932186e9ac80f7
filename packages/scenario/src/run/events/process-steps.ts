/** Events in the life of processes: fork, exit, prctl. */
import { dupMm, ERRNO, mmput } from '@thplab/mm-model';
import { now, type Procedure, spend } from '@thplab/sync';
import type { EventAction } from '../../format/index.js';
import { setThpMode } from '../create-process.js';
import { asUser } from '../mm-user.js';
import { memberName, type Process } from '../process-table.js';
import type { World } from '../world.js';
import type { Plan, Step } from './step.js';

/** An address space comes to its end: pins and locks through it are given back first. */
export function* exitProcess(world: World, process: Process): Procedure<number> {
  if (process.exitNs !== null) return 0;
  world.hardware?.exited(process);
  world.processes.exited(process, yield now());
  world.setUp.held.releaseAll(process.mm);
  yield spend(world.m.costs.syscall);
  yield* mmput(world.m, process.mm);
  process.lock = world.locks.take(process.mm);
  return 0;
}

export const planExit: Plan<'exit'> = (world, action) =>
  world.processes.named(action.process).map(
    (process): Step => ({
      process,
      procedure: () => exitProcess(world, process),
    }),
  );

export const planFork: Plan<'fork'> = (world, action) =>
  world.processes.named(action.process).map(
    (parent): Step => ({
      process: parent,
      procedure: () => asUser(world.m, parent, () => forkChildren(world, parent, action)),
    }),
  );

function* forkChildren(
  world: World,
  parent: Process,
  action: Extract<EventAction, { kind: 'fork' }>,
): Procedure<number> {
  for (let i = 0; i < action.count; i++) {
    const mm = yield* dupMm(world.m, parent.mm);
    // No memory for a copy of a pinned page.
    if (mm === 0) return -ERRNO.ENOMEM;
    const child = bear(world, parent, mm, action.as, yield now());
    if (action.lifetime === null) continue;
    const startNs = (yield now()) + action.lifetime;
    world.notice.outstanding++;
    world.spawn(`exit ${child.name}`, child, () => endOfLife(world, child), startNs);
  }
  return 0;
}

function* endOfLife(world: World, child: Process): Procedure<number> {
  yield* exitProcess(world, child);
  world.notice.outstanding--;
  world.notice.give();
  return 0;
}

function bear(world: World, parent: Process, mm: Process['mm'], group: string, bornNs: number): Process {
  const index = world.processes.members(group);
  // The number of the address space may have been another one's.
  world.log.forget(mm);
  world.hints.forget(mm);
  world.locks.take(mm);
  return world.processes.add({
    name: memberName(group, index, world.singleNames.has(group)),
    group,
    family: parent.family,
    mm,
    cpu: world.nextCpu(),
    vmas: parent.vmas,
    bornNs,
  });
}

export const planPrctl: Plan<'prctl'> = (world, action) =>
  world.processes.named(action.process).map(
    (process): Step => ({
      process,
      procedure: () => asUser(world.m, process, () => setThpMode(world.m, process.mm, action.thp)),
    }),
  );
