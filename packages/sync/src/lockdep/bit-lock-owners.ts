/** Who holds which bit lock. The bits say only that somebody does. */
import type { BitLock } from '../locks.js';

export class BitLockOwners {
  private readonly owners: Map<BitLock, Int32Array> = new Map();
  /** Bit locks held, by task number. */
  private readonly counts: number[] = [];

  set(lock: BitLock, instance: number, task: number): void {
    let owners = this.owners.get(lock);
    if (owners === undefined) {
      owners = new Int32Array(lock.words.length);
      this.owners.set(lock, owners);
    }
    owners[instance] = task;
    while (this.counts.length <= task) this.counts.push(0);
    this.counts[task] = (this.counts[task] as number) + 1;
  }

  /** The task that took it; 0 if it was taken outside of any task or before anybody watched. */
  get(lock: BitLock, instance: number): number {
    return this.owners.get(lock)?.[instance] ?? 0;
  }

  clear(lock: BitLock, instance: number): void {
    const owners = this.owners.get(lock);
    const task = owners?.[instance] ?? 0;
    if (owners === undefined || task === 0) return;
    owners[instance] = 0;
    this.counts[task] = (this.counts[task] as number) - 1;
  }

  count(task: number): number {
    return this.counts[task] ?? 0;
  }

  /** `class[instance]` of the first few bit locks a task holds. Walks all instances: for reports. */
  list(task: number, most: number): string[] {
    const names: string[] = [];
    for (const [lock, owners] of this.owners) {
      for (let instance = owners.indexOf(task); instance >= 0; instance = owners.indexOf(task, instance + 1)) {
        if (names.length === most) return [...names, '...'];
        names.push(`${lock.name}[${instance}]`);
      }
    }
    return names;
  }
}
