/**
 * The oracle: recomputes everything that the model keeps twice, from the page tables and the frames, and says where the
 * two differ. It uses none of the model's functions, so that it does not repeat their mistakes. It is meant for moments when
 * nothing is under way: no folio locked or isolated, no table out of its PMD.
 */
import type { Pfn } from './brands.js';
import { headOf, takeCensus } from './check/census.js';
import { checkPageCache, checkSwap } from './check/check-caches.js';
import { checkDeferredQueues, checkLevels, checkMmCounters } from './check/check-counters.js';
import { checkFolio, type Holders } from './check/check-folios.js';
import { checkFrames } from './check/check-frames.js';
import { checkMirrors } from './check/check-mirrors.js';
import { checkReverseMap } from './check/check-rmap.js';
import { checkTables } from './check/check-tables.js';
import { Findings } from './check/findings.js';
import type { Machine } from './machine.js';

/** References that the machine does not show, because their holders are outside of it. */
export interface CheckOptions {
  /** Frames on which somebody holds a plain reference; one entry for each (`gupFastGet`). */
  readonly held?: Iterable<Pfn>;
  /** Frames that are pinned; one entry for each pin (`pinPages`). The zero page does not count. */
  readonly pins?: Iterable<Pfn>;
  /** Frames whose folios somebody has locked and keeps locked. */
  readonly locked?: Iterable<Pfn>;
  /** Differences that are named at most; default 100. */
  readonly limit?: number;
}

/** Gives the differences in words, none if the machine is sound (khugepaged spec 19, I2, I4, I5; frames are conserved). */
export function checkMachine(m: Machine, options: CheckOptions = {}): readonly string[] {
  const findings = new Findings(options.limit ?? 100);
  const census = takeCensus(m, findings);
  const { folios } = checkFrames(m, findings);
  const holders = holdersOf(m, options);
  for (const head of folios) checkFolio(m, census, holders, findings, head);
  checkTables(m, census, findings);
  checkMirrors(m, findings);
  checkReverseMap(m, census, findings);
  checkMmCounters(m, census, findings);
  checkLevels(m, census, folios, findings);
  checkDeferredQueues(m, folios, findings);
  checkSwap(m, census, folios, findings);
  checkPageCache(m, folios, findings);
  for (const [name, table] of Object.entries({
    mm: m.mm,
    vma: m.vma,
    pte: m.pte,
    directory: m.directory,
    memcg: m.memcg,
  })) {
    const defect = table.pool.defect();
    if (defect !== undefined) findings.add(`${name}: ${defect}`);
  }
  return findings.lines();
}

/** Throws an Error with the differences, if there are any. For tests and debug runs. */
export function assertMachine(m: Machine, options: CheckOptions = {}): void {
  const found = checkMachine(m, options);
  if (found.length > 0) throw new Error(`the machine is not sound:\n${found.join('\n')}`);
}

/** References by folio: LRU batches, and what the caller names. */
function holdersOf(m: Machine, options: CheckOptions): Holders {
  const references = new Map<number, number>();
  const pins = new Map<number, number>();
  const add = (map: Map<number, number>, pfn: number): void => {
    const head = headOf(m, pfn);
    map.set(head, (map.get(head) ?? 0) + 1);
  };
  const stride = m.cpu.batch.length / m.cpu.batchCount.length;
  for (let cpu = 0; cpu < m.cpus; cpu++) {
    for (let i = 0; i < m.cpu.batchCount[cpu]; i++) add(references, m.cpu.batch[cpu * stride + i]);
  }
  for (const pfn of options.held ?? []) add(references, pfn);
  for (const pfn of options.pins ?? []) if (pfn !== 0) add(pins, pfn);
  const locked = new Set<number>();
  for (const pfn of options.locked ?? []) locked.add(headOf(m, pfn));
  return { references, pins, locked };
}
