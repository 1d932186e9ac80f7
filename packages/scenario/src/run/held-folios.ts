/**
 * Pins and folio locks that somebody outside of the modelled processes holds: a device, I/O under way. Kept by the page
 * that they were taken through, so that the opposite event finds the folio again.
 */
import {
  clearFrameFlags,
  FOLIO,
  findPmd,
  folioDrop,
  folioGet,
  folioHead,
  folioPin,
  folioUnpin,
  type Machine,
  type MmId,
  NO_FRAME,
  NO_PMD,
  type Pfn,
  PMD,
  PMD_ZERO,
  pmdPfn,
  pmdTable,
  pmdType,
  ptePfn,
  setFrameFlags,
  slotOf,
  updateMirrors,
  type Vpn,
  ZERO_FRAME,
} from '@thplab/mm-model';

/** See the head of the file. */
export class HeldFolios {
  readonly #m: Machine;
  readonly #pins = new Map<string, Pfn[]>();
  readonly #locks = new Map<string, Pfn[]>();

  constructor(m: Machine) {
    this.#m = m;
  }

  /** Pins a folio through a page (FOLL_PIN). */
  pin(mm: MmId, page: number, head: Pfn): void {
    folioPin(this.#m, head);
    push(this.#pins, mm, page, head);
  }

  /** Keeps a pin that was taken already. */
  keepPin(mm: MmId, page: number, head: Pfn): void {
    push(this.#pins, mm, page, head);
  }

  /** Takes the last pin that was made through the page away; false if there is none. */
  unpin(mm: MmId, page: number): boolean {
    const head = pop(this.#pins, mm, page);
    if (head !== undefined) folioUnpin(this.#m, head);
    return head !== undefined;
  }

  /**
   * Locks a folio and keeps it; false if it is locked already. The bit is set past the lock class: whoever holds the lock is
   * no task of the model, so lockdep has nothing to say about it. He holds a reference, as everybody does who locks a folio:
   * it outlives the unmapping of its last page.
   */
  lock(mm: MmId, page: number, head: Pfn): boolean {
    const m = this.#m;
    if (m.locks.folioLock.isLocked(head)) return false;
    setFrameFlags(m, head, FOLIO.LOCKED);
    folioGet(m, head);
    updateMirrors(m, head);
    push(this.#locks, mm, page, head);
    return true;
  }

  /** Unlocks the folio that was locked through the page; false if there is none. */
  unlock(mm: MmId, page: number): boolean {
    const head = pop(this.#locks, mm, page);
    if (head !== undefined) this.#unlock(head);
    return head !== undefined;
  }

  #unlock(head: Pfn): void {
    clearFrameFlags(this.#m, head, FOLIO.LOCKED);
    folioDrop(this.#m, head);
  }

  /** First frames of the folios that are pinned, one for each pin. */
  *pinned(): Generator<Pfn, void, undefined> {
    for (const heads of this.#pins.values()) yield* heads;
  }

  /** First frames of the folios that are kept locked, each with a reference. */
  *locked(): Generator<Pfn, void, undefined> {
    for (const heads of this.#locks.values()) yield* heads;
  }

  /** Lets go of everything that was taken through an address space: it exits. */
  releaseAll(mm: MmId): void {
    for (const key of [...this.#pins.keys()].filter((one) => one.startsWith(`${mm}/`))) {
      for (const head of this.#pins.get(key) ?? []) folioUnpin(this.#m, head);
      this.#pins.delete(key);
    }
    for (const key of [...this.#locks.keys()].filter((one) => one.startsWith(`${mm}/`))) {
      for (const head of this.#locks.get(key) ?? []) this.#unlock(head);
      this.#locks.delete(key);
    }
  }
}

/** First frame of the folio that a page is mapped to; 0 for none, the zero page, and pages without a folio. */
export function folioAt(m: Machine, mm: MmId, page: Vpn): Pfn | 0 {
  const pmd = findPmd(m, mm, page);
  if (pmd === NO_PMD) return 0;
  const entry = m.directory.entry[pmd];
  if (pmdType(entry) === PMD.huge) return (entry & PMD_ZERO) !== 0 ? 0 : pmdPfn(m, entry);
  if (pmdType(entry) !== PMD.table) return 0;
  const pfn = ptePfn(m, pmdTable(entry), slotOf(m, page));
  return pfn < 0 || pfn === ZERO_FRAME || pfn === NO_FRAME ? 0 : folioHead(m, pfn);
}

function push(map: Map<string, Pfn[]>, mm: MmId, page: number, head: Pfn): void {
  const key = `${mm}/${page}`;
  const held = map.get(key);
  if (held === undefined) map.set(key, [head]);
  else held.push(head);
}

function pop(map: Map<string, Pfn[]>, mm: MmId, page: number): Pfn | undefined {
  const key = `${mm}/${page}`;
  const held = map.get(key);
  const head = held?.pop();
  if (held?.length === 0) map.delete(key);
  return head;
}
