/**
 * What perf printed about sampled memory accesses, counted per page (DAMON spec 5.3). SPE shows one sample under several events
 * (memory, l1d-access, tlb-access, ...): each is counted by itself, and one is chosen.
 */
import { ImportError } from './errors.js';
import { type DumpColumns, dumpColumns, parseDumpLine } from './mem-report.js';
import { PageHeat } from './page-heat.js';
import { type PerfSample, parsePerfLine, UNIT_SHIFT } from './perf-line.js';

/** How to read. */
export interface PerfScriptOptions {
  /** Bytes in a page; 4096 unless told otherwise. */
  readonly pageSize?: number;
  /** Only samples of this process. */
  readonly process?: number;
  /** Passes over lines that cannot be read, and counts them, instead of throwing. */
  readonly skipBadLines?: boolean;
}

/** A block that another tool has measured. */
export interface MeasuredBlock {
  readonly startPage: number;
  readonly hotPercent: number;
}

/** The samples of one event. */
export interface EventSamples {
  readonly event: string;
  readonly samples: number;
  /** Samples with an address of data. */
  readonly virtual: PageHeat;
  readonly physical: PageHeat;
  /** Addresses of instructions, where lines say nothing of data. */
  readonly instructions: PageHeat;
}

/** What a text holds. */
export interface PerfSamples {
  /** By number of samples, most first. */
  readonly events: readonly EventSamples[];
  /** Lines of blocks, by virtual and by physical page. */
  readonly virtualBlocks: readonly MeasuredBlock[];
  readonly physicalBlocks: readonly MeasuredBlock[];
  /** Samples by process or thread, most first. */
  readonly processes: readonly (readonly [process: number, samples: number])[];
  /** Samples left out: of other processes, at addresses of the kernel, with a physical address of 0. */
  readonly otherProcesses: number;
  readonly kernelAddresses: number;
  readonly unknownPhysical: number;
  /** Lines passed over because they could not be read. */
  readonly badLines: number;
}

/** Addresses of the kernel have the top bit set. */
const KERNEL_UNIT = 2 ** (63 - UNIT_SHIFT);

/**
 * Reads the text line by line.
 * @throws ImportError at the first line that is no sample, comment or line of a call chain.
 */
export function readPerfSamples(lines: Iterable<string>, options: PerfScriptOptions = {}): PerfSamples {
  const reader = new PerfSampleReader(options);
  let number = 0;
  for (const line of lines) reader.read(line, ++number);
  return reader.finish();
}

/** {@link readPerfSamples} for lines that come by and by. */
export class PerfSampleReader {
  readonly #options: PerfScriptOptions;
  readonly #unitsPerPage: number;
  readonly #events = new Map<string, Counted>();
  readonly #processes = new Map<number, number>();
  readonly #virtualBlocks: MeasuredBlock[] = [];
  readonly #physicalBlocks: MeasuredBlock[] = [];
  #columns: DumpColumns | null = null;
  #otherProcesses = 0;
  #kernelAddresses = 0;
  #unknownPhysical = 0;
  #badLines = 0;

  constructor(options: PerfScriptOptions = {}) {
    this.#options = options;
    this.#unitsPerPage = (options.pageSize ?? 4096) / 2 ** UNIT_SHIFT;
  }

  /** Takes the next line, without its end. @throws ImportError */
  read(line: string, number: number): void {
    if (line.trim() === '') return;
    if (line.startsWith('#')) {
      this.#columns = dumpColumns(line) ?? this.#columns;
      return;
    }
    try {
      if (!this.#take(line)) this.#bad(number, line);
    } catch (error) {
      throw error instanceof RangeError ? new ImportError(number, 1, error.message) : error;
    }
  }

  /** What the lines so far held. */
  finish(): PerfSamples {
    const events = [...this.#events].map(([event, counted]) => ({ event, ...counted }));
    return {
      events: events.sort((a, b) => b.samples - a.samples),
      virtualBlocks: this.#virtualBlocks,
      physicalBlocks: this.#physicalBlocks,
      processes: [...this.#processes].sort(([, a], [, b]) => b - a),
      otherProcesses: this.#otherProcesses,
      kernelAddresses: this.#kernelAddresses,
      unknownPhysical: this.#unknownPhysical,
      badLines: this.#badLines,
    };
  }

  #take(line: string): boolean {
    if (this.#columns !== null) {
      const dumped = parseDumpLine(line, this.#columns);
      if (dumped !== null) this.#count(dumped);
      return dumped !== null;
    }
    const parsed = parsePerfLine(line);
    if (parsed === null) return false;
    if (parsed.kind === 'sample') this.#count(parsed.sample);
    else if (parsed.kind === 'block') {
      const blocks = parsed.physical ? this.#physicalBlocks : this.#virtualBlocks;
      blocks.push({ startPage: this.#pageOf(parsed.unit), hotPercent: parsed.hotPercent });
    }
    return true;
  }

  #count({ event, process, virtual, physical, instruction }: PerfSample): void {
    if (process !== null) this.#processes.set(process, (this.#processes.get(process) ?? 0) + 1);
    if (this.#options.process !== undefined && process !== null && process !== this.#options.process) {
      this.#otherProcesses++;
      return;
    }
    const counted = this.#eventOf(event);
    counted.samples++;
    if (physical !== null && physical > 0) counted.physical.add(this.#pageOf(physical));
    if (physical === 0) this.#unknownPhysical++;
    const address = virtual ?? instruction;
    if (address === null) return;
    if (address >= KERNEL_UNIT) this.#kernelAddresses++;
    else if (address > 0) (virtual === null ? counted.instructions : counted.virtual).add(this.#pageOf(address));
  }

  #eventOf(event: string): Counted {
    let counted = this.#events.get(event);
    if (counted === undefined) {
      counted = { samples: 0, virtual: new PageHeat(), physical: new PageHeat(), instructions: new PageHeat() };
      this.#events.set(event, counted);
    }
    return counted;
  }

  #pageOf(unit: number): number {
    return Math.floor(unit / this.#unitsPerPage);
  }

  #bad(number: number, line: string): void {
    if (this.#options.skipBadLines) {
      this.#badLines++;
      return;
    }
    const shown = line.trim().length > 60 ? `${line.trim().slice(0, 60)}…` : line.trim();
    throw new ImportError(
      number,
      line.length - line.trimStart().length + 1,
      `"${shown}" is no sample; expected what "perf script -F comm,pid,time,event,addr,phys_addr" prints, or one hexadecimal address per line`,
    );
  }
}

interface Counted {
  samples: number;
  readonly virtual: PageHeat;
  readonly physical: PageHeat;
  readonly instructions: PageHeat;
}

/**
 * The event to use: the one asked for; else `memory`, under which SPE shows every sampled access once; else the one with the
 * most samples. Undefined if there is none.
 */
export function chooseEvent(samples: PerfSamples, wanted?: string): EventSamples | undefined {
  if (wanted !== undefined) return samples.events.find(({ event }) => eventName(event) === wanted || event === wanted);
  return samples.events.find(({ event }) => eventName(event) === 'memory') ?? samples.events[0];
}

/** The name without the PMU before it and the modifiers behind it: `memory` of `arm_spe_0/memory/u`. */
export function eventName(event: string): string {
  const parts = event.split(/[/:]/).filter((part) => part !== '');
  return parts.length > 1 && event.includes('/') ? parts[1] : (parts[0] ?? '');
}
