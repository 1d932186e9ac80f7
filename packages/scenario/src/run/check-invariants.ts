/** The machine's invariants at the end of a run, if nothing is under way that would break them for a moment. */
import { checkHints } from '@thplab/khugepaged-scheduler';
import { checkMachine } from '@thplab/mm-model';
import { LOCK_STATE } from '@thplab/sync';
import type { World } from './world.js';

/** Differences in words; null if something is under way. */
export function checkInvariants(world: World): readonly string[] | null {
  if (!isQuiet(world)) return null;
  const { held } = world.setUp;
  const machine = checkMachine(world.m, { pins: held.pinned(), locked: held.locked(), held: held.locked() });
  return [...machine, ...checkHints(world.k)];
}

/** Every task sleeps, waits or has ended, and none of them holds a lock. */
function isQuiet(world: World): boolean {
  const { m, executor } = world;
  if (executor.tasks.some((task) => task.state === 'runnable')) return false;
  const locks = [
    [m.locks.mmapLock, m.mm.pool.end],
    [m.locks.vmaLock, m.vma.pool.end],
    [m.locks.anonVma, m.anonVma.pool.end],
    [m.locks.fileMap, m.file.pool.end],
    [m.locks.filePages, m.file.pool.end],
  ] as const;
  return locks.every(([lock, end]) => {
    for (let row = 1; row < end; row++) if (lock.words[lock.base(row) + LOCK_STATE] !== 0) return false;
    return true;
  });
}
