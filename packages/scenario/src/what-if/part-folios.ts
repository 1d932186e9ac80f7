/** Large folios that a process maps only in part, or not in order: their pages are mapped one by one as the rows come. */
import { asBrand } from '@thplab/arena';
import {
  addAnonPteRmap,
  anonVmaPrepareNow,
  deferredSplitFolio,
  ensureTable,
  FOLIO,
  folioGet,
  folioMapcount,
  folioPages,
  initAnonFolio,
  type Machine,
  nextStamp,
  PAGE,
  type Pfn,
  PopulateError,
  setFrameFlags,
  setPtePage,
  slotOf,
  takeBlock,
  updateMirrors,
  type Vpn,
} from '@thplab/mm-model';
import { attributesNow, type PageLoad } from './snapshot-pages.js';

/** The folios of one snapshot. */
export class PartFolios {
  readonly #m: Machine;
  /** First frame in the model by first frame in the snapshot. */
  readonly #heads = new Map<number, Pfn>();

  constructor(m: Machine) {
    this.#m = m;
  }

  /** Maps the page of a row to its page of the folio. */
  map(load: PageLoad, row: number, order: number): void {
    const m = this.#m;
    const frame = load.pages.frame[row];
    const offset = frame % 2 ** order;
    const page = asBrand<Vpn>(load.pages.vpn[row]);
    anonVmaPrepareNow(m, load.vma);
    let head = this.#heads.get(frame - offset);
    if (head === undefined) {
      head = this.#take(order);
      this.#heads.set(frame - offset, head);
      initAnonFolio(m, head, load.vma, asBrand<Vpn>(page - offset));
      setFrameFlags(m, head, FOLIO.LRU);
    } else folioGet(m, head);
    const pfn = asBrand<Pfn>(head + offset);
    m.frame.stamp[pfn] = nextStamp(m);
    setFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
    addAnonPteRmap(m, pfn, load.mm);
    setPtePage(m, ensureTable(m, load.mm, page), slotOf(m, page), pfn, attributesNow(load));
    m.mm.rssAnon[load.mm] += 1;
  }

  /** All rows are loaded: settles the folios. */
  finish(): void {
    const m = this.#m;
    for (const head of this.#heads.values()) {
      updateMirrors(m, head);
      if (folioMapcount(m, head) < folioPages(m, head)) deferredSplitFolio(m, head, true);
    }
  }

  #take(order: number): Pfn {
    for (let node = 0; node < this.#m.nodes; node++) {
      const pfn = takeBlock(this.#m, node, order);
      if (pfn !== 0) return pfn;
    }
    throw new PopulateError(`no free block of ${2 ** order} pages is left for a captured folio`);
  }
}
