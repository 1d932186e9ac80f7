/** Printing of fields, and what every decoder must be told because a trace holds only numbers. */
import type { FieldPrint } from '../catalogue.js';
import type { TraceEvent } from '../reader.js';

/** A task as traces name it. */
export interface TaskName {
  readonly comm: string;
  readonly pid: number;
}

/** What a decoder is told about the numbers of a trace. */
export interface DecodeNames {
  /** Text of a `%s` field, such as the name of a scan result. Default: the number. */
  readonly texts?: (event: string, field: string, value: number) => string | undefined;
  /** Name and pid of a task. Default: task 0 is the idle task, others are `<...>` with their number. */
  readonly tasks?: (task: number) => TaskName | undefined;
}

/** A field's value as the kernel prints it. */
export function printField(print: FieldPrint, value: number, text: () => string): string {
  switch (print) {
    case '%p':
      return hex(value).padStart(16, '0');
    case '0x%lx':
      return `0x${hex(value)}`;
    case '%lx':
      return hex(value);
    case '%s':
      return text();
    default:
      return String(value);
  }
}

/** The text of a `%s` field: what `texts` says, else what the trace file says, else the number. */
export function textOf(names: DecodeNames, event: TraceEvent, field: string): string {
  const value = event.args[field] ?? 0;
  return names.texts?.(event.name, field, value) ?? event.text?.[field] ?? String(value);
}

/** The task of an event. */
export function taskOf(names: DecodeNames, task: number): TaskName {
  return names.tasks?.(task) ?? { comm: task === 0 ? '<idle>' : '<...>', pid: task };
}

/** `mm=…, scan_pfn=…`: the fields of an event in the kernel's order, or its own line. */
export function printArgs(event: TraceEvent, names: DecodeNames): string {
  const { line } = event.shape;
  if (line !== undefined) return printLine(line, event, names);
  return event.shape.fields
    .map(({ name, print }) => {
      const value = event.args[name] ?? 0;
      return `${name}=${printField(print, value, () => textOf(names, event, name))}`;
    })
    .join(', ');
}

function printLine(line: string, event: TraceEvent, names: DecodeNames): string {
  return line.replace(/\{(\w+)(?:([/%])(\d+))?\}/g, (_all, name: string, part: string | undefined, by: string) => {
    const value = event.args[name] ?? 0;
    if (part !== undefined) return String(part === '/' ? Math.floor(value / Number(by)) : value % Number(by));
    const print = event.shape.fields.find((field) => field.name === name)?.print ?? '%u';
    return printField(print, value, () => textOf(names, event, name));
  });
}

/** Hexadecimal as an unsigned long: negative numbers in two's complement of 64 bits. */
function hex(value: number): string {
  return value >= 0 ? Math.trunc(value).toString(16) : BigInt.asUintN(64, BigInt(Math.trunc(value))).toString(16);
}
