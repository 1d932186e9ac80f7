/** From measured times to the cost table: every cost that a measurement can tell apart, the others keep their default. */
import { type CostTable, DEFAULT_COSTS } from '@thplab/mm-model';

/** Measured times, ns. The names are those of the `measured` part of a cost file. */
export interface MeasuredTimes {
  /** MADV_COLLAPSE of a range that is huge already: the call and the draining of LRU batches. */
  readonly emptyCall: number;
  /** MADV_COLLAPSE of 512 pages of which the last is pinned: the same, and a scan to the end. */
  readonly refusedScan: number;
  /** MADV_COLLAPSE of a range with 1, 128, 512 present pages, and of a huge page that PTEs map. */
  readonly sparse: number;
  readonly quarter: number;
  readonly dense: number;
  readonly hugeInParts: number;
  /** One 4K write fault, and one write fault that gets a huge page. */
  readonly fault: number;
  readonly hugeFault: number;
}

const PAGES = 512;

/**
 * Solves for the costs. A collapse of P pages is a straight line in P: its height is the overhead plus 512 pages to zero,
 * its slope what a present page costs more. A huge page in parts has the same pages to copy but one folio to isolate and
 * release, which tells copying and isolating apart.
 */
export function fitCosts(measured: MeasuredTimes): Partial<CostTable> {
  const d = DEFAULT_COSTS;
  const lruDrainCpu = positive((measured.emptyCall - d.syscall - d.scanVisit) / 2);
  const scanPte = positive((measured.refusedScan - measured.emptyCall) / PAGES);
  const alloc = d.allocBase + 9 * d.allocPerOrder;
  const base = measured.emptyCall + PAGES * scanPte + alloc + d.pmdFlush;
  const { height, slope } = line([
    [1, measured.sparse],
    [128, measured.quarter],
    [PAGES, measured.dense],
  ]);
  const empty = positive((height - base) / PAGES);
  // A fault zeroes as many pages without writing entries; where it took longer than the collapse, the collapse counts.
  const zeroPage = Math.min(positive((measured.hugeFault - measured.fault - alloc) / PAGES), empty * 0.95);
  const setPte = empty - zeroPage;
  const copyPage = positive((measured.hugeInParts - base) / PAGES - 2 * setPte);
  const isolatePage = positive((slope - copyPage - setPte + zeroPage) / 2);
  const faultBase = positive(measured.fault - d.allocBase - zeroPage - setPte);
  return { scanPte, copyPage, zeroPage, faultBase, isolatePage, setPte, lruDrainCpu };
}

/** The straight line nearest to the points, each weighed by the inverse of its height: a share off is as bad anywhere. */
function line(points: readonly (readonly [x: number, y: number])[]): { height: number; slope: number } {
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const [x, y] of points) {
    const weight = 1 / (y * y);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  return { height: (wy - slope * wx) / w, slope };
}

/** A cost is at least a tenth of a ns: measurements that contradict each other must not give negative ones. */
function positive(ns: number): number {
  return Math.max(0.1, ns);
}
