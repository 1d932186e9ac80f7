/** Fragmented memory: blocks of frames in foreign hands, before the first process exists. */
import { asBrand } from '@thplab/arena';
import { FOLIO, type Machine, PAGE, type Pfn, setFrameFlags, takeExact } from '@thplab/mm-model';
import type { Fragmentation, MemoryNode } from '../format/index.js';
import { randomFor } from './seeds.js';

/** Occupies frames of every node as its fragmentation says. */
export function fragmentMemory(m: Machine, nodes: readonly MemoryNode[], seed: number): void {
  nodes.forEach((node, i) => {
    if (node.fragmentation !== null) fragmentNode(m, i, node.fragmentation, seed);
  });
}

/** One foreign block of the order, at a random aligned place, in so many of the node's PMD-sized blocks. */
function fragmentNode(m: Machine, node: number, spec: Fragmentation, seed: number): void {
  const random = randomFor(seed, `machine.memory[${node}].fragmentation`, spec.seed);
  const size = 2 ** spec.order;
  const places = m.ptes / size;
  const first = Math.ceil(m.node.firstPfn[node] / m.ptes) * m.ptes;
  const end = m.node.endPfn[node];
  for (let block = first; block + m.ptes <= end; block += m.ptes) {
    if (random.fraction() >= spec.fraction) continue;
    const pfn = asBrand<Pfn>(block + random.below(places) * size);
    occupyBlock(m, pfn, spec.order, random.fraction() < spec.movable);
  }
}

function occupyBlock(m: Machine, pfn: Pfn, order: number, movable: boolean): void {
  if (pfn === 0 || !takeExact(m, pfn, order)) return;
  // Movable: memory of a program that is not modelled, on the LRU like any other. Unmovable: the kernel's own.
  if (movable) setFrameFlags(m, pfn, FOLIO.LRU | FOLIO.UPTODATE);
  else for (let i = 0; i < 1 << order; i++) setFrameFlags(m, pfn + i, PAGE.UNMOVABLE);
}
