/**
 * One page table as studies of a policy see it: which entries hold a page, which are swapped, and how large the folio at each
 * entry is. No machine, no time: every page is in use, movable and of one process, and every allocation succeeds. So what a study
 * finds is due to the choice of windows and the limits alone.
 */
import { createOccupancy, isOccupied, type Occupancy, occupyRange, popcountWindow } from '../bitmap.js';

export class StudyTable {
  readonly pmdOrder: number;
  readonly occupied: Occupancy;
  readonly swapped: Occupancy;
  /** Order of the folio at each entry; 0: a single page, or none. */
  readonly folioOrder: Uint8Array;
  /** There are folios that no study made: they need be neither aligned nor whole. */
  hasForeignFolios = false;

  constructor(pmdOrder: number) {
    this.pmdOrder = pmdOrder;
    this.occupied = createOccupancy(pmdOrder);
    this.swapped = createOccupancy(pmdOrder);
    this.folioOrder = new Uint8Array(1 << pmdOrder);
  }

  /** A table with these entries present, as single pages. */
  static of(pmdOrder: number, occupied: Occupancy, swapped?: Occupancy): StudyTable {
    const table = new StudyTable(pmdOrder);
    table.reset(occupied, swapped);
    return table;
  }

  /** Starts over with other entries. */
  reset(occupied: Occupancy, swapped?: Occupancy): void {
    this.occupied.set(occupied);
    if (swapped === undefined) this.swapped.fill(0);
    else this.swapped.set(swapped);
    this.folioOrder.fill(0);
    this.hasForeignFolios = false;
  }

  /** Entries of a window that hold a page. */
  present(offset: number, order: number): number {
    return popcountWindow(this.occupied, offset, order);
  }

  /** Entries of a window that are swapped out. */
  swappedIn(offset: number, order: number): number {
    return popcountWindow(this.swapped, offset, order);
  }

  /** Does an entry of the window map a folio as large as the window, or larger (khugepaged spec 11.4)? */
  mapsFolioOf(offset: number, order: number): boolean {
    if (this.folioOrder[offset] >= order) return true;
    if (!this.hasForeignFolios) return false;
    for (let i = offset; i < offset + (1 << order); i++) if (this.folioOrder[i] >= order) return true;
    return false;
  }

  /** Entries in neither bitmap, as a bitmap. */
  empty(): Occupancy {
    const bitmap = createOccupancy(this.pmdOrder);
    occupyRange(bitmap, 0, 1 << this.pmdOrder);
    return bitmap.map((word, i) => word & ~(this.occupied[i] | this.swapped[i]));
  }

  /** A window became one folio. */
  collapse(offset: number, order: number): void {
    const end = offset + (1 << order);
    occupyRange(this.occupied, offset, end);
    for (let i = offset; i < end; i++) {
      if (isOccupied(this.swapped, i)) this.swapped[i >>> 5] &= ~(1 << (i & 31));
    }
    this.folioOrder.fill(order, offset, end);
  }

  /** The entries in letters: `.` empty, `s` swapped, `0` a single page, else the order of its folio, in base 36. */
  letters(): string {
    let text = '';
    for (let i = 0; i < 1 << this.pmdOrder; i++) {
      const page = isOccupied(this.occupied, i);
      text += page ? this.folioOrder[i].toString(36).toUpperCase() : isOccupied(this.swapped, i) ? 's' : '.';
    }
    return text;
  }
}
