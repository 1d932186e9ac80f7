/** The trace of a run in one of three forms. */
import { collapseTexts } from '@thplab/mthp-collapse';
import { hintTexts, type ScenarioRun } from '@thplab/scenario';
import { type CounterSample, chromeTrace, type DecodeNames, ftraceText, ndjson } from '@thplab/trace';
import type { TraceFileFormat } from './trace-format.js';

/** The file's text, in chunks. */
export function traceText(run: ScenarioRun, format: TraceFileFormat): Iterable<string> {
  const { trace, world, lockHolds, result } = run;
  const names = namesOf(run);
  const events = trace.events();
  if (format === 'ftrace') {
    const written = trace.written;
    const cpus = world.scenario.machine.cpus;
    return ftraceText(events, { ...names, cpus, entries: { inBuffer: written - trace.dropped, written } });
  }
  if (format === 'ndjson') {
    const taskIds = world.executor.tasks.map(({ id }) => id);
    const { format: tracepoints, dropped } = trace;
    return ndjson(events, { ...names, tracepoints, dropped, shapes: trace.shapes.values(), taskIds });
  }
  const { name, kernel, seed, version } = result.header;
  const about = { scenario: name, kernel, seed: String(seed), version };
  return chromeTrace(events, { ...names, holds: lockHolds, counters: counters(run), machine: name, about });
}

/** Texts of results and names of tasks, as the run had them. */
function namesOf({ world }: ScenarioRun): DecodeNames {
  const collapse = collapseTexts(world.generation);
  return {
    texts: (event, field, value) => hintTexts(event, field, value) ?? collapse(event, field, value),
    tasks: (task) => {
      const found = world.executor.tasks[task - 1];
      return found === undefined ? undefined : { comm: found.name, pid: task };
    },
  };
}

/** Huge coverage and free memory over time, for the tracks of counters. */
function* counters({ result }: ScenarioRun): Generator<CounterSample> {
  for (const { atNs, free, processes } of result.timeline) {
    yield { timeNs: atNs, name: 'free memory', values: { bytes: free } };
    for (const { name, anonHuge, fileHuge, rss } of processes) {
      const huge = anonHuge + fileHuge;
      yield { timeNs: atNs, name: `${name}: memory`, values: { huge, small: rss - huge } };
    }
  }
}
