/** The result of a run as a stream: one document per line, each with its kind. */
import type { ScenarioResult } from '@thplab/scenario';

export function* resultLines(result: ScenarioResult): Generator<Record<string, unknown>> {
  const { format, header, timeline, processes, khugepaged, damon, memory, vmstat, sysfs, events, expectations } =
    result;
  yield { kind: 'header', format, ...header };
  for (const row of timeline) yield { kind: 'timeline', ...row };
  for (const process of processes) yield { kind: 'process', ...process };
  yield { kind: 'khugepaged', ...khugepaged };
  for (const kdamond of damon) yield { kind: 'kdamond', ...kdamond };
  if (result.pingPong !== null) yield { kind: 'pingPong', ...result.pingPong };
  if (result.tlb !== null) yield { kind: 'tlb', ...result.tlb };
  yield { kind: 'memory', ...memory };
  yield { kind: 'counters', vmstat, sysfs };
  for (const event of events) yield { kind: 'event', event: event.kind, ...without(event) };
  for (const expectation of expectations) yield { kind: 'expectation', ...expectation };
  yield { kind: 'end', ...result.end, invariants: result.invariants };
}

function without({ kind: _kind, ...rest }: ScenarioResult['events'][number]): Record<string, unknown> {
  return rest;
}
