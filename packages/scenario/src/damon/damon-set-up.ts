/** The writes that set up a scenario's kdamonds and switch them on, for a real machine. */
import { DAMON_ROOT } from '@thplab/sysfs-schema';
import type { World } from '../run/world.js';
import { kdamondWrites } from './kdamond-writes.js';
import { FIRST_PID } from './pids.js';

/** Absolute paths and values. `pidOfProcess`: what stands for a process's pid. */
export function damonSetUp(
  world: World,
  pidOfProcess: (process: string) => string,
): readonly (readonly [path: string, value: string])[] {
  const specs = world.scenario.damon.kdamonds;
  const root = `${DAMON_ROOT}/kdamonds`;
  const named = (path: string, value: string): string =>
    path.endsWith('/pid_target') ? pidOfProcess(world.processes.all[Number(value) - FIRST_PID]?.name ?? value) : value;
  return [
    [`${root}/nr_kdamonds`, String(specs.length)],
    ...specs.flatMap((spec, index) => [
      ...kdamondWrites(world, spec).map(([path, value]) => [`${root}/${index}/${path}`, named(path, value)] as const),
      [`${root}/${index}/state`, 'on'] as const,
    ]),
  ];
}
