/** Folios: map counts, mm slots and references are what the census explains; nobody is forgotten. */
import { FOLIO, PAGE } from '../flags.js';
import type { Machine } from '../machine.js';
import type { Census } from './census.js';
import type { Findings } from './findings.js';

/** References that only their holders know of. */
export interface Holders {
  /** Plain references by first frame of the folio: LRU batches, and those that the caller named. */
  readonly references: Map<number, number>;
  /** Pins by first frame of the folio. */
  readonly pins: Map<number, number>;
  /** First frames of folios that somebody keeps locked. */
  readonly locked: ReadonlySet<number>;
}

const PIN_OF_BASE_PAGE = 1024;
const FACT_FRAMES = 4;

/** Checks one allocated folio. */
export function checkFolio(m: Machine, census: Census, holders: Holders, findings: Findings, head: number): void {
  const order = m.frame.flags[head] & 0xf;
  const pages = 1 << order;
  let ptes = 0;
  for (let pfn = head; pfn < head + pages; pfn++) {
    ptes += census.pteMaps[pfn];
    if (m.frame.mapcount[pfn] !== census.pteMaps[pfn]) {
      findings.add(`frame ${pfn}: mapcount ${m.frame.mapcount[pfn]}, but ${entries(census.pteMaps[pfn])} it`);
    }
  }
  const name = `folio ${head} (order ${order})`;
  const total = ptes + census.pmdMaps[head];
  if (order > 0) checkLargeFacts(m, census, holders, findings, head, name, total);
  checkReferences(m, holders, findings, head, name, total);
  checkCharge(m, findings, head, name);
  for (let pfn = head + 1; pfn < head + pages; pfn++) {
    if (pfn >= head + FACT_FRAMES && (m.frame.refcount[pfn] !== 0 || m.frame.mapping[pfn] !== 0)) {
      findings.add(`frame ${pfn} has a reference or mapping of its own inside ${name}`);
    }
  }
}

/** Memory that somebody's is charged to a cgroup that there is. */
function checkCharge(m: Machine, findings: Findings, head: number, name: string): void {
  const memcg = m.frame.memcg[head];
  const charged = (m.frame.flags[head] & FOLIO.ANON) !== 0 || isPageCache(m, head);
  if (memcg === 0 ? charged : !m.memcg.pool.isLive(memcg)) findings.add(`${name} is charged to memory cgroup ${memcg}`);
}

function entries(count: number): string {
  return count === 1 ? '1 entry maps' : `${count} entries map`;
}

function checkLargeFacts(
  m: Machine,
  census: Census,
  holders: Holders,
  findings: Findings,
  head: number,
  name: string,
  total: number,
): void {
  findings.equal(`${name}: map count`, m.frame.mapping[head + 1], total);
  findings.equal(`${name}: entire map count`, m.frame.index[head + 1], census.pmdMaps[head]);
  findings.equal(`${name}: pins`, m.frame.refcount[head + 1], holders.pins.get(head) ?? 0);
  const slots = [
    { mm: m.frame.mapping[head + 3], share: m.frame.index[head + 3] },
    { mm: m.frame.refcount[head + 2], share: m.frame.refcount[head + 3] },
  ];
  for (const { mm, share } of slots) {
    const real = mm === 0 ? 0 : (census.byMm.get(head)?.get(mm) ?? 0);
    // A slot that came free may be given to an mm that has mappings already, so its share may be too low, never too high.
    if (share > real || (mm !== 0 && share <= 0))
      findings.add(`${name}: mm ${mm} has a share of ${share}, but ${entries(real)} it`);
  }
  if (slots[0].mm !== 0 && slots[0].mm === slots[1].mm) findings.add(`${name}: both slots name mm ${slots[0].mm}`);
}

function checkReferences(
  m: Machine,
  holders: Holders,
  findings: Findings,
  head: number,
  name: string,
  maps: number,
): void {
  const flags = m.frame.flags[head];
  const pages = 1 << (flags & 0xf);
  const held = holders.references.get(head) ?? 0;
  const pins = (holders.pins.get(head) ?? 0) * (pages === 1 ? PIN_OF_BASE_PAGE : 1);
  // A page whose file has gone looks like memory of nobody modelled, but somebody outside has it.
  const filler = isFiller(m, head) && held + pins === 0;
  const inCache = (flags & FOLIO.SWAPCACHE) !== 0 || isPageCache(m, head) || filler;
  const expected = maps + (inCache ? pages : 0) + held + pins;
  if (m.frame.refcount[head] !== expected) {
    findings.add(
      `${name}: ${m.frame.refcount[head]} references, but ${maps} mappings, ${inCache ? pages : 0} of caches, ${held} held ` +
        `and ${pins} of pins explain ${expected}`,
    );
  }
  if (expected === 0) findings.add(`${name} is allocated, but nobody has it`);
  const busy = FOLIO.WRITEBACK | FOLIO.ISOLATED | (holders.locked.has(head) ? 0 : FOLIO.LOCKED);
  if ((flags & busy) !== 0) findings.add(`${name} is locked or isolated`);
}

/** A page of a file. */
export function isPageCache(m: Machine, head: number): boolean {
  return (m.frame.flags[head] & FOLIO.ANON) === 0 && m.frame.mapping[head] !== 0;
}

/** Memory of nobody modelled: one reference, on the LRU or not to be moved. */
export function isFiller(m: Machine, head: number): boolean {
  const flags = m.frame.flags[head];
  return m.frame.mapping[head] === 0 && (flags & FOLIO.ANON) === 0 && (flags & (FOLIO.LRU | PAGE.UNMOVABLE)) !== 0;
}
