/** Placing pages of one state, with the attributes and properties that their layer gives them by chance. */
import { asBrand, clearBit, type Random, setBit } from '@thplab/arena';
import {
  clearFrameFlags,
  ENTRY_KIND,
  ensureTable,
  FOLIO,
  findPmd,
  folioHead,
  type Machine,
  type MmId,
  makeEntry,
  NO_FRAME,
  type Pfn,
  PMD_DIRTY,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  placeFilePages,
  placeFolio,
  placeMarkers,
  placeSwapped,
  placeZeroPages,
  pteBit,
  pteCell,
  setPteEntry,
  setPtePage,
  slotOf,
  updateMirrors,
  VM,
  VMA_KIND,
  type VmaId,
  type Vpn,
} from '@thplab/mm-model';
import type { PageState, PopulateLayer } from '../format/index.js';
import type { HeldFolios } from './held-folios.js';

/** What is placed where. */
export interface Placing {
  readonly m: Machine;
  readonly vma: VmaId;
  readonly layer: PopulateLayer;
  readonly held: HeldFolios;
}

const MARKER = {
  hwpoison: ENTRY_KIND.hwpoison,
  device: ENTRY_KIND.devicePrivate,
  guard: ENTRY_KIND.markerGuard,
  poison: ENTRY_KIND.markerPoison,
} as const;

/** Places `count` single pages of one state. */
export function placePages(at: Placing, first: number, count: number, state: PageState, random: Random): void {
  const { m, vma } = at;
  const page = asBrand<Vpn>(first);
  switch (state) {
    case 'none':
      return;
    case 'present':
      placePresent(at, page, count, random);
      return;
    case 'zero':
      placeZeroPages(m, vma, page, count, at.layer.young === 0 ? 0 : PTE_YOUNG);
      return;
    case 'swap':
      placeSwapped(m, vma, page, count);
      return;
    case 'migration':
      placeMigrationEntries(at, first, count);
      return;
    case 'special':
      placeSpecial(at, first, count, random);
      return;
    default:
      placeMarkers(m, vma, page, count, MARKER[state]);
      if (state === 'guard') m.vma.flags[vma] |= VM.MAYBE_GUARD;
  }
}

function placePresent(at: Placing, page: Vpn, count: number, random: Random): void {
  const { m, vma, layer } = at;
  const kind = m.vma.kind[vma];
  if (kind === VMA_KIND.dax || kind === VMA_KIND.special) {
    placeSpecial(at, page, count, random);
    return;
  }
  const fixed = fixedAttributes(at);
  if (kind !== VMA_KIND.anon) {
    for (let i = 0; i < count; i++) {
      placeFilePages(m, vma, asBrand<Vpn>(page + i), 1, fixed ?? chooseAttributes(at, random));
    }
  } else {
    placeBasePages(m, vma, page, count, fixed ?? (() => chooseAttributes(at, random)), layer.node ?? 0);
  }
  if (hasProperties(layer)) for (let i = 0; i < count; i++) applyProperties(at, asBrand<Vpn>(page + i), 1, random);
}

/** Places a folio of the layer's order at its aligned place. */
export function placeFolioOf(at: Placing, first: number, random: Random): void {
  const { m, vma, layer } = at;
  const page = asBrand<Vpn>(first);
  const size = 2 ** layer.order;
  if (m.vma.kind[vma] !== VMA_KIND.anon) {
    placePresent(at, page, size, random);
    return;
  }
  const pmdMapped = layer.order === m.pmdOrder && layer.mapped === 'pmd';
  const attributes = fixedAttributes(at) ?? chooseAttributes(at, random);
  const head = placeFolio(m, vma, page, layer.order, attributes, { pmdMapped, node: layer.node ?? 0 });
  if (!hasProperties(layer)) return;
  if (!pmdMapped) applyProperties(at, page, size, random);
  else if (applyFolioProperties(at, head, first, random) && layer.dirty === null) {
    m.directory.entry[findPmd(m, asBrand<MmId>(m.vma.mm[vma]), page)] &= ~PMD_DIRTY;
  }
}

/** Attributes that are the same for all pages of the layer; null if chance decides. */
function fixedAttributes(at: Placing): number | null {
  const { young, writable } = at.layer;
  const dirty = at.layer.dirty ?? 1;
  const chance = (share: number): boolean => share > 0 && share < 1;
  return chance(young) || chance(dirty) || chance(writable) ? null : attributesOf(at, () => false);
}

function chooseAttributes(at: Placing, random: Random): number {
  return attributesOf(at, (share) => random.fraction() < share);
}

function attributesOf(at: Placing, chance: (share: number) => boolean): number {
  const { young, writable } = at.layer;
  const dirty = at.layer.dirty ?? 1;
  const has = (share: number): boolean => share >= 1 || (share > 0 && chance(share));
  const flags = at.m.vma.flags[at.vma];
  const kind = at.m.vma.kind[at.vma];
  // The page of a file behind a private mapping is nobody's to write: a copy would be.
  const own = kind === VMA_KIND.anon || (flags & VM.SHARED) !== 0;
  const canWrite = (flags & VM.WRITE) !== 0 && own;
  const canBeDirty = kind !== VMA_KIND.file || canWrite;
  return (
    (has(young) ? PTE_YOUNG : 0) |
    (has(dirty) && canBeDirty ? PTE_DIRTY : 0) |
    (has(writable) && canWrite ? PTE_WRITE : 0)
  );
}

function hasProperties(layer: PopulateLayer): boolean {
  return layer.uffdWp + layer.lazyfree + layer.pinned + layer.locked + layer.offLru > 0;
}

/** Properties of the entries and of the folio of pages that were just placed. */
function applyProperties(at: Placing, page: Vpn, count: number, random: Random): void {
  const { m, vma, layer } = at;
  const table = ensureTable(m, asBrand<MmId>(m.vma.mm[vma]), page);
  const slot = slotOf(m, page);
  const head = folioHead(m, m.pte.pfn[pteCell(m, table, slot)]);
  const lazyfree = applyFolioProperties(at, head, page, random);
  for (let i = 0; i < count; i++) {
    const bit = pteBit(m, table, slot + i);
    // MADV_FREE cleans the entries: a dirty one, which the layer must ask for, means that the page was written again.
    if (lazyfree && layer.dirty === null) clearBit(m.pte.dirty, bit);
    if (!happens(layer.uffdWp, random)) continue;
    setBit(m.pte.uffdWp, bit);
    clearBit(m.pte.write, bit);
  }
}

/** Gives true if the folio is lazyfree now. */
function applyFolioProperties(at: Placing, head: Pfn, page: number, random: Random): boolean {
  const { m, layer, held } = at;
  const mm = asBrand<MmId>(m.vma.mm[at.vma]);
  const lazyfree = happens(layer.lazyfree, random);
  if (lazyfree) clearFrameFlags(m, head, FOLIO.SWAPBACKED);
  if (happens(layer.offLru, random)) clearFrameFlags(m, head, FOLIO.LRU);
  updateMirrors(m, head);
  if (happens(layer.pinned, random)) held.pin(mm, page, head);
  if (happens(layer.locked, random)) held.lock(mm, page, head);
  return lazyfree;
}

function happens(share: number, random: Random): boolean {
  return share >= 1 || (share > 0 && random.fraction() < share);
}

/** Entries of pages that are being moved: nothing in the model completes the move. */
function placeMigrationEntries(at: Placing, first: number, count: number): void {
  forEachSlot(at, first, count, (table, slot) => setPteEntry(at.m, table, slot, makeEntry(ENTRY_KIND.migration)));
}

/** Present entries without a struct page behind them. */
function placeSpecial(at: Placing, first: number, count: number, random: Random): void {
  forEachSlot(at, first, count, (table, slot) => setPtePage(at.m, table, slot, NO_FRAME, chooseAttributes(at, random)));
}

function forEachSlot(
  at: Placing,
  first: number,
  count: number,
  visit: (table: ReturnType<typeof ensureTable>, slot: number) => void,
): void {
  const { m, vma } = at;
  for (let i = 0; i < count; i++) {
    const page = asBrand<Vpn>(first + i);
    visit(ensureTable(m, asBrand<MmId>(m.vma.mm[vma]), page), slotOf(m, page));
  }
}
