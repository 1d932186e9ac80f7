/**
 * The choices of a depth-first search from the start of the schedule down, as columns by depth. Sets of tasks are masks.
 */
const FIRST_DEPTH = 256;

export class SearchStack {
  /** Number of choices on the stack. */
  depth = 0;
  /** Who could go on. */
  runnable: Int32Array = new Int32Array(FIRST_DEPTH);
  /** Who of them could go on without a pre-emption. */
  free: Int32Array = new Int32Array(FIRST_DEPTH);
  /** Pre-emptions before this choice. */
  preemptions: Int32Array = new Int32Array(FIRST_DEPTH);
  /** The choice that is being explored. */
  chosen: Int32Array = new Int32Array(FIRST_DEPTH);
  /** Choices to explore, those explored included. */
  wanted: Int32Array = new Int32Array(FIRST_DEPTH);
  /** Choices explored. */
  done: Int32Array = new Int32Array(FIRST_DEPTH);
  /** Choices that lead only to what other branches have seen. */
  asleep: Int32Array = new Int32Array(FIRST_DEPTH);

  /** Adds a choice; the caller fills in the rest. */
  push(runnable: number, free: number, preemptions: number, chosen: number): void {
    const at = this.depth;
    if (at === this.runnable.length) this.grow();
    this.runnable[at] = runnable;
    this.free[at] = free;
    this.preemptions[at] = preemptions;
    this.chosen[at] = chosen;
    this.wanted[at] = 1 << chosen;
    this.done[at] = 0;
    this.asleep[at] = 0;
    this.depth = at + 1;
  }

  /** Pre-emptions after the choice at a depth. */
  preemptionsAfter(at: number): number {
    const free = ((this.free[at] as number) & (1 << (this.chosen[at] as number))) !== 0;
    return (this.preemptions[at] as number) + (free ? 0 : 1);
  }

  /** Wants tasks explored at a depth. */
  want(at: number, tasks: number): void {
    this.wanted[at] = (this.wanted[at] as number) | tasks;
  }

  private grow(): void {
    const larger = (column: Int32Array): Int32Array => {
      const made = new Int32Array(2 * column.length);
      made.set(column);
      return made;
    };
    this.runnable = larger(this.runnable);
    this.free = larger(this.free);
    this.preemptions = larger(this.preemptions);
    this.chosen = larger(this.chosen);
    this.wanted = larger(this.wanted);
    this.done = larger(this.done);
    this.asleep = larger(this.asleep);
  }
}
