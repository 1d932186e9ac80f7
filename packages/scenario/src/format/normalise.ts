/** From a Draft to a Scenario: defaults, names, places; every problem goes to `report`, the result is usable if none came. */
import { damonTreeOfProfile } from '@thplab/sysfs-schema';
import { withPingPong } from '../damon/ping-pong/designs.js';
import type { Context, Report } from './context.js';
import type { Draft } from './draft.js';
import { normaliseDamon, registerDamonNames } from './normalise-damon.js';
import { normaliseEvents, normaliseSysfs } from './normalise-events.js';
import { normaliseExpect, normaliseRun } from './normalise-expect.js';
import { normaliseFiles } from './normalise-files.js';
import { normaliseHints } from './normalise-hints.js';
import { normaliseMachine } from './normalise-machine.js';
import { normaliseProcesses } from './normalise-process.js';
import { normaliseTlb, normaliseWorkload } from './normalise-workload.js';
import type { Scenario } from './scenario.js';
import { sysfsFilesOf } from './sysfs-files.js';

/** `path` is the scenario's file: its folder is where relative file names start. */
export function normalise(draft: Draft, path: string, report: Report): Scenario {
  const machine = normaliseMachine(draft.machine ?? {}, report);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const context: Context = {
    report,
    machine,
    folder,
    sysfs: sysfsFilesOf(machine, damonTreeOfProfile(draft.damon?.profile, machine.kernel)),
    processes: new Map(),
    files: new Map(),
    memcgs: new Set(['/']),
    schemes: new Set(),
    kdamonds: new Set(),
  };
  registerDamonNames(context, draft.damon);
  const files = normaliseFiles(context, draft.files ?? []);
  const processes = normaliseProcesses(context, draft.processes ?? []);
  const events = normaliseEvents(context, draft.events ?? []);
  const damon = normaliseDamon(context, draft.damon, ['damon']);
  const workload = normaliseWorkload(context, draft.workload ?? [], ['workload']);
  const tlb = normaliseTlb(context, draft.machine?.tlb, workload.length > 0);
  const scenario: Scenario = {
    format: draft.format,
    name: draft.name,
    description: draft.description ?? '',
    seed: draft.seed ?? 1,
    machine: { ...machine, tlb },
    sysfs: normaliseSysfs(context, draft.sysfs ?? {}, ['sysfs'], false),
    files,
    processes,
    damon,
    hints: normaliseHints(context, draft.hints, ['hints']),
    workload,
    events,
    run: normaliseRun(context, draft.run ?? {}, events),
    expect: normaliseExpect(context, draft.expect ?? {}, ['expect']),
  };
  const design = draft.damon?.pingPong;
  return design === undefined ? scenario : withPingPong(scenario, design);
}
