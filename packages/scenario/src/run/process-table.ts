/**
 * The scenario's names for what runs in the machine: processes and groups, and their VMAs by name. A child knows the VMAs
 * of its parent; a group's name means its live members.
 */
import type { MmId } from '@thplab/mm-model';
import { Histogram, type Procedure } from '@thplab/sync';
import type { Span } from '../format/index.js';
import type { MmapLockSums } from './mmap-lock-watch.js';

/** A named range of an address space, in pages. */
export interface NamedRange {
  readonly start: number;
  readonly pages: number;
}

/** One process. */
export interface Process {
  readonly name: string;
  /** Name of its group: the same as `name` for a single process. */
  readonly group: string;
  /** First ancestor: processes of one family see each other's events in file order. */
  readonly family: string;
  readonly mm: MmId;
  /** Processor that its actions run on. */
  readonly cpu: number;
  readonly vmas: Map<string, NamedRange>;
  readonly bornNs: number;
  exitNs: number | null;
  /** Time that touches of pages took which had to fault, ns. */
  readonly faultNs: Histogram;
  /** Touches that ended in a signal or without memory, by outcome. */
  readonly failures: Map<string, number>;
  /** What its mmap_lock cost; set when it has exited. */
  lock: MmapLockSums | null;
  /** Told of its page faults, in the thread that had them; null: nobody asks. */
  faulted: ((page: number, nowNs: number) => Procedure<void>) | null;
}

/** What makes a process known. */
export interface ProcessFacts {
  readonly name: string;
  readonly group: string;
  readonly family: string;
  readonly mm: MmId;
  readonly cpu: number;
  readonly vmas: ReadonlyMap<string, NamedRange>;
  readonly bornNs: number;
}

/** A range of one process, in pages. */
export interface PageSpan {
  readonly process: Process;
  readonly start: number;
  readonly pages: number;
}

/** Told of a page fault that a process had, in the thread that had it. */
export type FaultListener = (process: Process, page: number, nowNs: number) => Procedure<void>;

/** See the head of the file. */
export class ProcessTable {
  /** All that ever lived, in order of birth. */
  readonly all: Process[] = [];
  readonly #byName = new Map<string, Process>();
  readonly #byMm = new Map<number, Process>();
  readonly #pageSize: number;
  #faulted: FaultListener | null = null;

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }

  /** Makes a process known. */
  add(facts: ProcessFacts): Process {
    const process: Process = {
      ...facts,
      vmas: new Map(facts.vmas),
      exitNs: null,
      faultNs: new Histogram(),
      failures: new Map(),
      lock: null,
      faulted: null,
    };
    this.#attach(process);
    this.all.push(process);
    this.#byName.set(process.name, process);
    this.#byMm.set(process.mm, process);
    return process;
  }

  /** From now on somebody is told of page faults of all processes. */
  listenToFaults(listener: FaultListener): void {
    this.#faulted = listener;
    for (const process of this.all) this.#attach(process);
  }

  #attach(process: Process): void {
    const listener = this.#faulted;
    process.faulted = listener === null ? null : (page, nowNs) => listener(process, page, nowNs);
  }

  /** It has exited: its name means nothing any more, its row stays for the report. */
  exited(process: Process, nowNs: number): void {
    process.exitNs = nowNs;
    if (this.#byMm.get(process.mm) === process) this.#byMm.delete(process.mm);
  }

  /** How many members a group has had. */
  members(group: string): number {
    return this.all.reduce((sum, process) => sum + (process.group === group ? 1 : 0), 0);
  }

  /** The live process of an address space. */
  ofMm(mm: number): Process | undefined {
    return this.#byMm.get(mm);
  }

  /** Processes alive. */
  live(): Process[] {
    return this.all.filter((process) => process.exitNs === null);
  }

  /** Live processes that a name means; null: all. */
  named(name: string | null): Process[] {
    if (name === null) return this.live();
    const single = this.#byName.get(name);
    if (single !== undefined && single.group !== name) return single.exitNs === null ? [single] : [];
    return this.all.filter((process) => process.exitNs === null && process.group === name);
  }

  /** Processes that a name means or meant. */
  everNamed(name: string): Process[] {
    return this.all.filter((process) => process.name === name || process.group === name);
  }

  /** The span in each live process that its name means. A VMA that a process does not have is passed over. */
  spans(span: Span): PageSpan[] {
    return this.named(span.process).flatMap((process) => {
      const base = span.vma === null ? { start: 0, pages: Number.POSITIVE_INFINITY } : process.vmas.get(span.vma);
      if (base === undefined) return [];
      const start = base.start + span.start / this.#pageSize;
      return [{ process, start, pages: span.length / this.#pageSize }];
    });
  }
}

/** Name of one member of a group. */
export function memberName(group: string, index: number, single: boolean): string {
  return single ? group : `${group}.${index}`;
}
