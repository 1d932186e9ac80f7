/**
 * A binary heap of small item numbers by (time, tie), with removal and change of any item. One such heap orders the
 * processors that have something to do, one the timers, and one per processor the tasks that wait for it.
 */
export class EventHeap {
  private readonly items: number[] = [];
  private readonly times: number[] = [];
  private readonly ties: number[] = [];
  /** Position of each item plus 1; 0 or absent: not in the heap. */
  private readonly places: number[] = [];

  get size(): number {
    return this.items.length;
  }

  /** The earliest time; Infinity if the heap is empty. */
  get firstTime(): number {
    return this.items.length === 0 ? Number.POSITIVE_INFINITY : (this.times[0] as number);
  }

  /** The earliest item; -1 if the heap is empty. */
  get first(): number {
    return this.items.length === 0 ? -1 : (this.items[0] as number);
  }

  /** The earliest time of all items but the first; Infinity if there is none. */
  get secondTime(): number {
    const count = this.items.length;
    if (count < 2) return Number.POSITIVE_INFINITY;
    const left = this.times[1] as number;
    if (count === 2) return left;
    return Math.min(left, this.times[2] as number);
  }

  has(item: number): boolean {
    return (this.places[item] ?? 0) !== 0;
  }

  /** Adds an item, or moves it to another time. */
  set(item: number, time: number, tie: number): void {
    while (this.places.length <= item) this.places.push(0);
    let at = (this.places[item] as number) - 1;
    if (at < 0) {
      at = this.items.length;
      this.items.push(item);
      this.times.push(time);
      this.ties.push(tie);
    }
    this.settle(at, item, time, tie);
  }

  /** Takes an item out; nothing happens if it is not there. */
  remove(item: number): void {
    const at = (this.places[item] ?? 0) - 1;
    if (at < 0) return;
    this.places[item] = 0;
    const lastItem = this.items.pop() as number;
    const lastTime = this.times.pop() as number;
    const lastTie = this.ties.pop() as number;
    if (at < this.items.length) this.settle(at, lastItem, lastTime, lastTie);
  }

  /** Takes the earliest item out; -1 if the heap is empty. */
  shift(): number {
    const item = this.first;
    if (item >= 0) this.remove(item);
    return item;
  }

  /** All items, in no order that means anything. */
  all(): readonly number[] {
    return this.items;
  }

  /** Puts an item into the free place `start`, or as far up or down from there as the order asks. */
  private settle(start: number, item: number, time: number, tie: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(time, tie, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    const count = this.items.length;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.before(this.times[child + 1] as number, this.ties[child + 1] as number, child)) {
        child++;
      }
      if (this.before(time, tie, child)) break;
      this.move(child, at);
      at = child;
    }
    this.items[at] = item;
    this.times[at] = time;
    this.ties[at] = tie;
    this.places[item] = at + 1;
  }

  private before(time: number, tie: number, other: number): boolean {
    const otherTime = this.times[other] as number;
    return time < otherTime || (time === otherTime && tie < (this.ties[other] as number));
  }

  private move(from: number, to: number): void {
    const item = this.items[from] as number;
    this.items[to] = item;
    this.times[to] = this.times[from] as number;
    this.ties[to] = this.ties[from] as number;
    this.places[item] = to + 1;
  }
}
