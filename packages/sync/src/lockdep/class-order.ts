/**
 * The order of lock classes that nobody declared: an edge from A to B is learned when B is taken while A is held, with
 * who did it first. An edge that would close a cycle is an inversion: two tasks could each hold what the other wants.
 */

/** One class was taken while another was held. */
export interface OrderEdge {
  readonly from: number;
  readonly to: number;
  /** The first task seen to do so, and when. */
  readonly task: number;
  readonly taskName: string;
  readonly nowNs: number;
}

export class ClassOrder {
  private readonly edges: Map<number, Map<number, OrderEdge>> = new Map();

  /** Learns the edge. Gives the path of known edges from `edge.to` back to `edge.from` if there is one, else nothing. */
  learn(edge: OrderEdge): readonly OrderEdge[] | undefined {
    const known = this.edges.get(edge.from);
    if (known?.has(edge.to) === true) return undefined;
    const path: OrderEdge[] = [];
    if (this.search(edge.to, edge.from, path, new Set())) return path;
    if (known === undefined) this.edges.set(edge.from, new Map([[edge.to, edge]]));
    else known.set(edge.to, edge);
    return undefined;
  }

  /** True if the edge is known, so that nothing needs to be learned. */
  knows(from: number, to: number): boolean {
    return this.edges.get(from)?.has(to) === true;
  }

  private search(from: number, target: number, path: OrderEdge[], seen: Set<number>): boolean {
    seen.add(from);
    for (const edge of this.edges.get(from)?.values() ?? []) {
      if (seen.has(edge.to)) continue;
      path.push(edge);
      if (edge.to === target || this.search(edge.to, target, path, seen)) return true;
      path.pop();
    }
    return false;
  }
}
