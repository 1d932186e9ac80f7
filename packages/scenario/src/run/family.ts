/** Which names belong together: a process, its children and theirs. */
import type { Scenario } from '../format/index.js';

/** Family of each name of a process or group: the name of the first ancestor. */
export function familiesOf(scenario: Scenario): ReadonlyMap<string, string> {
  const families = new Map(scenario.processes.map((process) => [process.name, process.name]));
  for (const { action } of scenario.events) {
    if (action.kind !== 'fork') continue;
    const parent = action.process.split('.')[0];
    families.set(action.as, families.get(parent) ?? parent);
  }
  return families;
}

/** Names of children that are one process and no group: born by one fork, once, from one parent. */
export function singleForks(scenario: Scenario): ReadonlySet<string> {
  const single = new Set(scenario.processes.filter((process) => process.count === 1).map((process) => process.name));
  const seen = new Set<string>();
  for (const { action, repeat } of scenario.events) {
    if (action.kind !== 'fork') continue;
    const oneParent = single.has(action.process) || action.process.includes('.');
    if (action.count === 1 && repeat === null && oneParent && !seen.has(action.as)) single.add(action.as);
    else single.delete(action.as);
    seen.add(action.as);
  }
  return single;
}
