/**
 * Somebody else who maps pages of a captured process: its parent, a child, a page that KSM merged. The snapshot knows that
 * there is one, not who; one address space stands for all of them, so that the model's shared rule sees what it has to.
 */
import { asBrand, clearBit } from '@thplab/arena';
import {
  addAnonPmdRmap,
  addAnonPteRmap,
  allocPmd,
  anonVmaFork,
  clearFrameFlags,
  ensureTable,
  folioGet,
  folioHead,
  insertVma,
  type Machine,
  type MmId,
  mmAlloc,
  newTable,
  PAGE,
  type Pfn,
  PMD_WRITE,
  PTE_YOUNG,
  pmdPfn,
  pteBit,
  setHugePmd,
  setPtePage,
  slotOf,
  type TableId,
  updateMirrors,
  type VmaId,
  type Vpn,
  vmaDup,
} from '@thplab/mm-model';
import { atOnce } from '../run/create-process.js';

/** See the head of the file. */
export class GhostMapper {
  readonly #m: Machine;
  #mm: MmId | undefined;
  readonly #vmas = new Map<VmaId, VmaId>();

  constructor(m: Machine) {
    this.#m = m;
  }

  /** Lets the ghost map a page that `table` maps too; neither may write to it any more. */
  sharePage(vma: VmaId, table: TableId, page: Vpn, pfn: Pfn): void {
    const m = this.#m;
    const mm = this.#mmFor(vma);
    const head = folioHead(m, pfn);
    folioGet(m, head);
    clearFrameFlags(m, pfn, PAGE.ANON_EXCLUSIVE);
    addAnonPteRmap(m, pfn, mm);
    setPtePage(m, ensureTable(m, mm, page), slotOf(m, page), pfn, PTE_YOUNG);
    m.mm.rssAnon[mm] += 1;
    clearBit(m.pte.write, pteBit(m, table, slotOf(m, page)));
    updateMirrors(m, head);
  }

  /** Lets the ghost map a huge page that a PMD maps. */
  shareHuge(vma: VmaId, page: Vpn): void {
    const m = this.#m;
    const mm = this.#mmFor(vma);
    const own = allocPmd(m, asBrand<MmId>(m.vma.mm[vma]), page);
    const entry = m.directory.entry[own] & ~PMD_WRITE;
    m.directory.entry[own] = entry >>> 0;
    const head = pmdPfn(m, entry);
    folioGet(m, head);
    clearFrameFlags(m, head, PAGE.ANON_EXCLUSIVE);
    addAnonPmdRmap(m, head, mm);
    setHugePmd(m, allocPmd(m, mm, page), head, entry & 0xf8, newTable(m, mm, page));
    m.mm.rssAnon[mm] += m.ptes;
  }

  #mmFor(vma: VmaId): MmId {
    const m = this.#m;
    this.#mm ??= mmAlloc(m);
    if (!this.#vmas.has(vma)) {
      const copy = vmaDup(m, vma, this.#mm);
      atOnce(m, anonVmaFork(m, copy, vma));
      insertVma(m, copy);
      this.#vmas.set(vma, copy);
    }
    return this.#mm;
  }
}
