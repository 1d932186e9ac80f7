/**
 * The memo of the last check (DAMON spec 1.10): if the next address lies in the folio looked at last, it would find the
 * same. Addresses are in order, so it helps neighbours within one folio. The kernel keeps it in function statics; here it
 * is the context's.
 */
import { alignDown } from '../arithmetic.js';
import type { DamonStore } from '../monitor/store.js';

/** The memo, for loops that keep it in variables and `remember` its last state. */
export interface LastChecked {
  readonly address: number;
  /** Bytes. */
  readonly folioSize: number;
  readonly accessed: boolean;
}

/** The memo as it is now. */
export function readMemo(d: DamonStore): LastChecked {
  const c = d.t.damonContext;
  return { address: c.lastAddress[d.context], folioSize: c.lastFolioSize[d.context], accessed: lastResult(d) };
}

/**
 * True if both addresses lie in one aligned range of `size` bytes; none do for size 0. Most pairs are too far apart for
 * that, which is told without a division.
 */
export function inOneFolio(one: number, other: number, size: number): boolean {
  return Math.abs(one - other) < size && alignDown(one, size) === alignDown(other, size);
}

/** True if the memo answers for `address`. */
export function sameFolio(d: DamonStore, address: number): boolean {
  const c = d.t.damonContext;
  return inOneFolio(c.lastAddress[d.context], address, c.lastFolioSize[d.context]);
}

/** What the memo says. */
export function lastResult(d: DamonStore): boolean {
  return d.t.damonContext.lastAccessed[d.context] === 1;
}

/** Keeps a result. `folioSize` 0: no folio was found, and the size known before stays, as in the kernel. */
export function remember(d: DamonStore, address: number, folioSize: number, accessed: boolean): void {
  const c = d.t.damonContext;
  c.lastAddress[d.context] = address;
  if (folioSize > 0) c.lastFolioSize[d.context] = folioSize;
  c.lastAccessed[d.context] = accessed ? 1 : 0;
}

/** Forgets the memo: another target, another round. Sizes start at one page. */
export function forgetLast(d: DamonStore, pageSize: number): void {
  const c = d.t.damonContext;
  c.lastAddress[d.context] = -pageSize;
  c.lastFolioSize[d.context] = pageSize;
  c.lastAccessed[d.context] = 0;
}
