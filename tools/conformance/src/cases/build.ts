/** Short words for steps, and for the page states that many cases begin with. */
import { type AdviceName, type Case, type MapKind, RANGE, type Rights, type Step, type UffdModeName } from '../case.js';

export const map = (
  at: number,
  pages: number,
  more: Partial<Omit<Extract<Step, { do: 'map' }>, 'do' | 'at' | 'pages'>> = {},
): Step => ({ do: 'map', at, pages, ...more });
export const mapKind = (at: number, pages: number, kind: MapKind): Step => map(at, pages, { kind });
export const unmap = (at: number, pages: number): Step => ({ do: 'unmap', at, pages });
export const write = (at: number, pages: number, who = 0): Step =>
  who === 0 ? { do: 'write', at, pages } : { do: 'write', at, pages, who };
export const read = (at: number, pages: number): Step => ({ do: 'read', at, pages });
export const advise = (advice: AdviceName, at: number, pages: number): Step => ({ do: 'advise', advice, at, pages });
export const collapse = (at: number, pages: number, who = 0): Step =>
  who === 0 ? advise('COLLAPSE', at, pages) : { do: 'advise', advice: 'COLLAPSE', at, pages, who };
export const protect = (at: number, pages: number, rights: Rights): Step => ({ do: 'protect', at, pages, rights });
export const lock = (at: number, pages: number): Step => ({ do: 'lock', at, pages });
export const unlock = (at: number, pages: number): Step => ({ do: 'unlock', at, pages });
export const move = (at: number, pages: number, to: number): Step => ({ do: 'move', at, pages, to });
export const fork: Step = { do: 'fork' };
export const end = (child: number): Step => ({ do: 'end', child });
export const pin = (at: number, pages = 1): Step => ({ do: 'pin', at, pages });
export const unpin: Step = { do: 'unpin' };
export const uffd = (at: number, pages: number, mode: UffdModeName): Step => ({ do: 'uffd', at, pages, mode });
export const wp = (at: number, pages: number): Step => ({ do: 'wp', at, pages });
export const unwp = (at: number, pages: number): Step => ({ do: 'unwp', at, pages });

/** A mapping of whole ranges from page 0 on, every page written. */
export const filled = (ranges = 1): Step[] => [map(0, ranges * RANGE), write(0, ranges * RANGE)];
/** A mapping of whole ranges that faults give huge pages. */
export const huge = (ranges = 1): Step[] => [
  map(0, ranges * RANGE),
  advise('HUGEPAGE', 0, ranges * RANGE),
  write(0, ranges * RANGE),
];
/** Empties a range but keeps its page table: freeing it needs one call over all of it. */
export const emptied = (at: number): Step[] => [
  advise('DONTNEED', at, RANGE / 2),
  advise('DONTNEED', at + RANGE / 2, RANGE / 2),
];
/** Writes every `every`-th page of a range, `count` of them. */
export const scattered = (at: number, count: number, every: number): Step[] =>
  Array.from({ length: count }, (_, i) => write(at + i * every, 1));

/** Cases of one family from names and steps. */
export function family(name: string, cases: Readonly<Record<string, readonly Step[]>>): Case[] {
  return Object.entries(cases).map(([own, steps]) => ({ name: `${name}/${own}`, steps }));
}
