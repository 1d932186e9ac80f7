/** The machine of a case and what is known of it: what actors and invariants are given. */
import type { Khugepaged } from '@thplab/khugepaged-scheduler';
import type { Machine, MmId, Vpn } from '@thplab/mm-model';
import type { CollapseContext } from '@thplab/mthp-collapse';
import type { HeldFolios } from '../run/held-folios.js';
import type { ContentBook } from './machine/content-book.js';
import type { WatchedLog } from './machine/watched-log.js';

/** A VMA of the case by name. */
export interface StageVma {
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** A process of the case by name. */
export interface StageProcess {
  readonly name: string;
  readonly mm: MmId;
  readonly vmas: ReadonlyMap<string, StageVma>;
}

/** A page that must stay empty, because somebody was promised to be asked before it is filled (I6). */
export interface Hole {
  readonly mm: MmId;
  readonly page: Vpn;
}

/** See the head of the file. */
export interface Stage {
  /** For procedures: what they touch is logged. */
  readonly m: Machine;
  /** For looking at, without a trace. */
  readonly raw: Machine;
  readonly log: WatchedLog;
  readonly collapse: CollapseContext;
  readonly k: Khugepaged;
  readonly processes: ReadonlyMap<string, StageProcess>;
  readonly book: ContentBook;
  /** What somebody outside of the case holds from its start to its end. */
  readonly held: HeldFolios;
  /** What actors have found wrong in this schedule. */
  readonly findings: string[];
  readonly holes: Hole[];
}

/** Nobody is to be asked about these pages any more: their mapping has gone, or who was asked has filled them. */
export function endHoles({ holes }: Pick<Stage, 'holes'>, mm: MmId, first: Vpn, pages: number): void {
  const left = holes.filter((hole) => hole.mm !== mm || hole.page < first || hole.page >= first + pages);
  holes.splice(0, holes.length, ...left);
}

/** Pages of a process that an actor works on. */
export interface Target {
  readonly mm: MmId;
  readonly first: Vpn;
  readonly pages: number;
  /** The VMA that they lie in at the start. */
  readonly vma: StageVma;
  /** `page 2 of app:heap`, for findings. */
  readonly text: string;
}
