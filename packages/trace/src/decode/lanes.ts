/**
 * Which slices fit on one track. A track shows slices as a tree: two that overlap must lie one inside the other. Locks
 * need not be given back in the order they were taken, so a task's slices are spread over lanes, each of which nests.
 */

/** A piece of time on a task's track. */
export interface Slice {
  readonly task: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** A slice and its lane: 0 is the task's own track. */
export interface PlacedSlice<S extends Slice> {
  readonly slice: S;
  readonly lane: number;
}

/** Places every slice on the first lane of its task where it nests; sorted by start, the longer first. */
export function placeSlices<S extends Slice>(slices: Iterable<S>): PlacedSlice<S>[] {
  const sorted = [...slices].sort((a, b) => a.startNs - b.startNs || b.endNs - a.endNs);
  const lanesOf = new Map<number, number[][]>();
  return sorted.map((slice) => {
    const lanes = lanesOf.get(slice.task) ?? [];
    lanesOf.set(slice.task, lanes);
    let lane = lanes.findIndex((open) => fits(open, slice));
    if (lane === -1) lane = lanes.push([]) - 1;
    (lanes[lane] as number[]).push(slice.endNs);
    return { slice, lane };
  });
}

/** True if the slice nests in what is still open on the lane; closes what has ended. */
function fits(openEnds: number[], slice: Slice): boolean {
  while (openEnds.length > 0 && (openEnds.at(-1) as number) <= slice.startNs) openEnds.pop();
  return openEnds.length === 0 || (openEnds.at(-1) as number) >= slice.endNs;
}
