/** What a snapshot takes of a machine: memory, tables, swap. */
import { NO_FRAME, ORDER_UNKNOWN, PageKind, type Snapshot } from '@thplab/capture';
import type { ExtraNeeds } from '../run/size-machine.js';

/** See the head of the file. */
export interface SnapshotNeeds extends ExtraNeeds {
  /** Frames of memory, whole folios counted. */
  readonly frames: number;
  /** Swap slots. */
  readonly swapSlots: number;
  /** PMD ranges in which something is mapped. */
  readonly blocks: number;
}

/** Counts what a snapshot needs. */
export function snapshotNeeds(snapshot: Snapshot): SnapshotNeeds {
  const { pages, kernel, vmas } = snapshot;
  const ptes = 2 ** kernel.pmdOrder;
  const folios = new Set<number>();
  const needs = { frames: 0, swapSlots: 0, blocks: 0, directories: 0, filePages: 0 };
  let block = -1;
  let directory = -1;
  for (let row = 0; row < pages.length; row++) {
    const vpn = pages.vpn[row];
    if (Math.floor(vpn / ptes) !== block) {
      block = Math.floor(vpn / ptes);
      needs.blocks++;
      if (Math.floor(block / ptes) !== directory) needs.directories++;
      directory = Math.floor(block / ptes);
    }
    const kind = pages.kind[row];
    if (kind === PageKind.swap) needs.swapSlots++;
    if (kind === PageKind.file || kind === PageKind.shmem) {
      needs.filePages++;
      needs.frames++;
    } else if (kind === PageKind.anon || kind === PageKind.ksm) {
      needs.frames += framesOf(pages.order[row], pages.frame[row], folios);
    }
  }
  const tables = needs.blocks + 2 * vmas.length;
  return { ...needs, vmas: 2 * vmas.length, tables, directories: 4 * needs.directories + 8 * vmas.length };
}

/** Frames that a row adds: one, or all of a large folio when its first page comes. */
function framesOf(order: number, frame: number, folios: Set<number>): number {
  if (order === 0 || order === ORDER_UNKNOWN || frame === NO_FRAME) return 1;
  const head = frame - (frame % 2 ** order);
  if (folios.has(head)) return 0;
  folios.add(head);
  return 2 ** order;
}
