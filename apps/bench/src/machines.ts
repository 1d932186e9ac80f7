/** Machines to measure on: many page tables of one shape. */
import { asBrand, Random } from '@thplab/arena';
import {
  bootMachine,
  FOLIO,
  findTable,
  folioHead,
  type Machine,
  type MmId,
  mmAlloc,
  mmap,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  placeSwapped,
  pteCell,
  setFrameFlags,
  type TableId,
  updateMirrors,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { runToEnd } from '@thplab/sync';

/** What one page table holds. */
export interface TableShape {
  readonly name: string;
  /** Share of the pages that are present. */
  readonly present: number;
  /** Pages swapped out in each table, at its end. */
  readonly swapped?: number;
  /** A page that is locked, in each table. */
  readonly lockedSlot?: number;
}

/** A machine with one process. */
export interface BenchMachine {
  readonly m: Machine;
  readonly mm: MmId;
  readonly vma: VmaId;
  readonly tables: readonly TableId[];
}

const START = 0x100000;
const TOUCHED = PTE_YOUNG | PTE_WRITE | PTE_DIRTY;

/** A machine whose one VMA has `tables` page tables of the shape. */
export function machineOf(
  tables: number,
  shape: TableShape,
  extra: Partial<Parameters<typeof bootMachine>[0]> = {},
): BenchMachine {
  const ptes = 512;
  const { machine: m } = bootMachine({
    nodePages: [tables * ptes * 2 + 65_536],
    swapPages: tables * (shape.swapped ?? 0) + 1,
    ...extra,
  });
  const mm = mmAlloc(m);
  runToEnd(m.domain, mmap(m, mm, { at: asBrand<Vpn>(START), pages: tables * ptes, fixed: 'replace' }));
  const vma = vmaAt(m, mm, START) as VmaId;
  const random = new Random(1);
  const ids: TableId[] = [];
  for (let t = 0; t < tables; t++) {
    fillTable(m, vma, START + t * ptes, ptes, shape, random);
    const table = findTable(m, mm, asBrand<Vpn>(START + t * ptes)) as TableId;
    if (shape.lockedSlot !== undefined) lock(m, table, shape.lockedSlot);
    ids.push(table);
  }
  return { m, mm, vma, tables: ids };
}

function fillTable(m: Machine, vma: VmaId, start: number, ptes: number, shape: TableShape, random: Random): void {
  const end = ptes - (shape.swapped ?? 0);
  if (shape.present === 1) placeBasePages(m, vma, asBrand<Vpn>(start), end, TOUCHED);
  else {
    for (let slot = 0; slot < end; slot++) {
      if (slot === 0 || random.fraction() < shape.present)
        placeBasePages(m, vma, asBrand<Vpn>(start + slot), 1, TOUCHED);
    }
  }
  if (shape.swapped !== undefined) placeSwapped(m, vma, asBrand<Vpn>(start + end), shape.swapped);
}

function lock(m: Machine, table: TableId, slot: number): void {
  const head = folioHead(m, m.pte.pfn[pteCell(m, table, slot)]);
  setFrameFlags(m, head, FOLIO.LOCKED);
  updateMirrors(m, head);
}
