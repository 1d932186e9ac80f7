/**
 * The text that the kernel's `trace` file shows, so that a trace can be read beside one of a real machine and by the
 * same tools.
 */
import type { TraceEvent } from '../reader.js';
import { type DecodeNames, printArgs, taskOf } from './print.js';

/** What the ftrace text shows beside the events. */
export interface FtraceOptions extends DecodeNames {
  /** Events in the ring, and ever written, for the head lines; unset: the line is left out. */
  readonly entries?: { readonly inBuffer: number; readonly written: number };
  /** Number of processors, for the head lines (default 1). */
  readonly cpus?: number;
  /** False leaves out the head lines (default true). */
  readonly header?: boolean;
}

/** The model does not know the states of the interrupt and preemption flags: none is shown. */
const FLAGS = '.....';
const COMM_CHARS = 15;

/** Events as lines of ftrace text, head lines first; every chunk is one or more whole lines. */
export function* ftraceText(events: Iterable<TraceEvent>, options: FtraceOptions = {}): Generator<string> {
  if (options.header !== false) yield headLines(options);
  for (const event of events) yield ftraceLine(event, options);
}

/** One event as a line. */
export function ftraceLine(event: TraceEvent, names: DecodeNames = {}): string {
  const { comm, pid } = taskOf(names, event.task);
  const task = `${comm.slice(0, COMM_CHARS).padStart(16)}-${String(pid).padEnd(7)}`;
  const cpu = `[${String(event.cpu).padStart(3, '0')}]`;
  return `${task} ${cpu} ${FLAGS} ${seconds(event.timeNs)}: ${event.name}: ${printArgs(event, names)}\n`;
}

/** Seconds with six digits, cut as the kernel cuts them. */
function seconds(timeNs: number): string {
  const us = Math.floor(timeNs / 1000);
  return `${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}`;
}

function headLines({ entries, cpus = 1 }: FtraceOptions): string {
  const lines = ['# tracer: nop', '#'];
  if (entries !== undefined) {
    lines.push(`# entries-in-buffer/entries-written: ${entries.inBuffer}/${entries.written}   #P:${cpus}`, '#');
  }
  lines.push(
    '#                                _-----=> irqs-off/BH-disabled',
    '#                               / _----=> need-resched',
    '#                              | / _---=> hardirq/softirq',
    '#                              || / _--=> preempt-depth',
    '#                              ||| / _-=> migrate-disable',
    '#                              |||| /     delay',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
    '#              | |         |   |||||     |         |',
  );
  return `${lines.join('\n')}\n`;
}
