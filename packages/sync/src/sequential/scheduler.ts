/**
 * Which task runs on which processor, and when: a discrete-event simulation of a fair scheduler.
 *
 * Rules. A task that becomes runnable goes to the processor it is bound to, or to the least loaded (its last one if that
 * is as good). On a processor the waiting task with the least virtual runtime goes next; virtual runtime grows with
 * processor time by 1024 / weight. A running task keeps the processor for a slice; one that wakes may end the slice if it
 * is behind by more than a granularity (at nice 0: 1 ms), and it starts at most one slice behind (a new one,
 * not behind at all, unless it is to start later: that counts as a sleep). A task with a spinlock
 * is not replaced. A processor without work takes an unbound waiting task from another. Taking up another task than the
 * last one costs a context switch. An idle processor's clock stands still.
 */
import { Cpu } from './cpu.js';
import { EventHeap } from './event-heap.js';
import type { BlockedOn, SequentialTask } from './task.js';
import { MAX_TIE, NICE_0_WEIGHT, tieOf } from './weights.js';

/** Costs and constants of scheduling. */
export interface SchedulerSettings {
  readonly cpus: number;
  /** Decides ties; see `tieOf`. */
  readonly seed: number;
  readonly contextSwitchNs: number;
  readonly sliceNs: number;
  readonly wakeupGranularityNs: number;
}

export class Scheduler {
  readonly cpus: Cpu[] = [];
  /** Processors with something to do, by the time of it. */
  readonly events: EventHeap = new EventHeap();
  /** Tasks that sleep, wait with a timeout or have not started, by the time of it. */
  readonly timers: EventHeap = new EventHeap();
  /** Set where an event was added or moved: whoever runs ahead up to the next event must look again. */
  changed = false;

  private readonly settings: SchedulerSettings;
  private readonly tasks: readonly SequentialTask[];
  private active: Cpu | undefined = undefined;
  private sequence = 0;
  private waiting = 0;

  /** `tasks` is the executor's list: task n at n - 1. */
  constructor(settings: SchedulerSettings, tasks: readonly SequentialTask[]) {
    this.settings = settings;
    this.tasks = tasks;
    for (let id = 0; id < settings.cpus; id++) this.cpus.push(new Cpu(id));
  }

  /** The next event of all, ns; Infinity if there is none. */
  get nextNs(): number {
    return Math.min(this.events.firstTime, this.timers.firstTime);
  }

  /** The next event that is not the first processor's, ns. */
  get horizonNs(): number {
    return Math.min(this.events.secondTime, this.timers.firstTime);
  }

  /**
   * Until when no task but this running one can do anything unless it makes it, ns: now, if another is on a processor or
   * waits for one; else the first timer; Infinity if there is none.
   */
  quietUntilNs(task: SequentialTask, nowNs: number): number {
    const busy = this.waiting > 0 || this.cpus.some((cpu) => cpu.task !== undefined && cpu.task !== task);
    return busy ? nowNs : this.timers.firstTime;
  }

  /** Sets a task's timer. Timers due at one instant go off in the order they were set, before any processor's step. */
  arm(task: SequentialTask, atNs: number): void {
    this.timers.set(task.id, atNs, this.sequence++);
    this.changed = true;
  }

  disarm(task: SequentialTask): void {
    this.timers.remove(task.id);
  }

  /** A blocked task becomes runnable. */
  ready(task: SequentialTask, nowNs: number): void {
    const cpu = this.place(task);
    cpu.advance(nowNs);
    const own = task.cpu < 0 ? Number.NEGATIVE_INFINITY : this.moved(task, cpu, nowNs);
    const credit = task.blockedOn === 'start' ? 0 : this.settings.sliceNs;
    task.placeAt(Math.max(own, cpu.minVruntime - credit));
    task.state = 'runnable';
    task.blockedOn = 'none';
    this.enqueue(cpu, task, nowNs);
    const granularity = (this.settings.wakeupGranularityNs * NICE_0_WEIGHT) / task.weight;
    const running = cpu.task;
    if (running !== undefined && running.vruntime - task.vruntime > granularity) {
      cpu.sliceEndNs = Math.min(cpu.sliceEndNs, Math.max(nowNs, cpu.clockNs));
    }
    this.plan(cpu, nowNs);
  }

  /**
   * The processor's event has come: charges the running task, replaces it if its slice is over, or takes up a waiting one.
   * Gives the task that can step now; undefined if there is none yet. The processor is the active one until `leave`.
   */
  enter(cpu: Cpu, nowNs: number): SequentialTask | undefined {
    this.active = cpu;
    const task = cpu.task;
    if (task === undefined) {
      this.dispatch(cpu, nowNs);
    } else {
      cpu.advance(nowNs);
      if (nowNs >= cpu.sliceEndNs && cpu.queue.size > 0 && task.spinDepth === 0) {
        task.spendLeftNs = cpu.spendEndNs - nowNs;
        this.expire(cpu, task, nowNs);
      }
    }
    return cpu.task !== undefined && cpu.spendEndNs <= cpu.clockNs && cpu.clockNs <= nowNs ? cpu.task : undefined;
  }

  /** A turn that a limit of the run cut short goes on: the processor is the active one again. */
  resume(cpu: Cpu): void {
    this.active = cpu;
  }

  /** The active processor's task gives up its turn though no time has passed: the others of this instant go first. */
  giveUpTurn(cpu: Cpu, nowNs: number): void {
    cpu.turns = nowNs === cpu.turnNs ? cpu.turns + 1 : 1;
    cpu.turnNs = nowNs;
  }

  /** The active processor's step is over: its next event is entered. */
  leave(cpu: Cpu): void {
    this.active = undefined;
    this.plan(cpu, cpu.clockNs);
  }

  /** Takes the running task off its processor for good or until it is `ready`, and takes up the next. */
  block(cpu: Cpu, task: SequentialTask, why: BlockedOn, nowNs: number): void {
    cpu.advance(nowNs);
    task.state = 'blocked';
    task.blockedOn = why;
    task.blockedNs = nowNs;
    cpu.load -= task.weight;
    this.dispatch(cpu, nowNs);
  }

  /** The running task waits for a spinlock: the processor has no event until `unspin`. */
  spin(cpu: Cpu, task: SequentialTask, nowNs: number): void {
    cpu.advance(nowNs);
    task.state = 'blocked';
    task.blockedOn = 'lock';
    task.blockedNs = nowNs;
    cpu.spinning = true;
  }

  /** A spinning task got its lock; it pays `costNs` before it goes on. */
  unspin(task: SequentialTask, nowNs: number, costNs: number): void {
    const cpu = this.cpus[task.cpu] as Cpu;
    cpu.advance(nowNs);
    cpu.spinning = false;
    cpu.spendEndNs = nowNs + costNs;
    task.state = 'runnable';
    task.blockedOn = 'none';
    this.plan(cpu, nowNs);
  }

  /** Until when the active processor's task may go on if it is not due to any event: its slice, if another waits. */
  sliceLimit(cpu: Cpu, task: SequentialTask): number {
    return cpu.queue.size > 0 && task.spinDepth === 0 ? cpu.sliceEndNs : Number.POSITIVE_INFINITY;
  }

  /** The slice is over: the running task gives way to one with no more virtual runtime, or gets another slice. */
  private expire(cpu: Cpu, task: SequentialTask, nowNs: number): void {
    if (cpu.queue.firstTime > task.vruntime) {
      cpu.sliceEndNs = nowNs + this.settings.sliceNs;
      task.spendLeftNs = 0;
      return;
    }
    cpu.load -= task.weight;
    cpu.task = undefined;
    this.dispatch(cpu, nowNs);
    const target = task.bound < 0 ? (this.idle() ?? cpu) : cpu;
    task.placeAt(this.moved(task, target, nowNs));
    this.enqueue(target, task, nowNs);
    this.plan(target, nowNs);
  }

  /** Gives the processor to the waiting task with the least virtual runtime, or leaves it idle. */
  private dispatch(cpu: Cpu, nowNs: number): void {
    cpu.task = undefined;
    if (nowNs > cpu.clockNs) cpu.clockNs = nowNs;
    const task = this.next(cpu, nowNs);
    if (task === undefined) return;
    if (cpu.lastTask !== undefined && cpu.lastTask !== task) {
      cpu.clockNs += this.settings.contextSwitchNs;
      cpu.switchNs += this.settings.contextSwitchNs;
      cpu.switches++;
    }
    task.runWaitNs += nowNs - task.readyNs;
    task.cpu = cpu.id;
    cpu.task = task;
    cpu.lastTask = task;
    cpu.spendEndNs = cpu.clockNs + task.spendLeftNs;
    task.spendLeftNs = 0;
    cpu.sliceEndNs = cpu.clockNs + this.settings.sliceNs;
  }

  private next(cpu: Cpu, nowNs: number): SequentialTask | undefined {
    if (this.waiting === 0) return undefined;
    const own = cpu.queue.shift();
    if (own >= 0) {
      this.waiting--;
      return this.tasks[own - 1];
    }
    return this.pull(cpu, nowNs);
  }

  /** An unbound waiting task of the busy processor with most of them (idle balancing). */
  private pull(cpu: Cpu, nowNs: number): SequentialTask | undefined {
    let best: Cpu | undefined;
    let found: SequentialTask | undefined;
    for (const from of this.cpus) {
      if (from.task === undefined || from.queue.size <= (best?.queue.size ?? 0)) continue;
      const task = this.firstUnbound(from);
      if (task === undefined) continue;
      best = from;
      found = task;
    }
    if (best === undefined || found === undefined) return undefined;
    best.queue.remove(found.id);
    this.waiting--;
    best.load -= found.weight;
    found.placeAt(this.moved(found, cpu, nowNs));
    cpu.load += found.weight;
    return found;
  }

  private firstUnbound(from: Cpu): SequentialTask | undefined {
    let found: SequentialTask | undefined;
    for (const id of from.queue.all()) {
      const task = this.tasks[id - 1] as SequentialTask;
      if (task.bound >= 0) continue;
      if (
        found === undefined ||
        task.vruntime < found.vruntime ||
        (task.vruntime === found.vruntime && task.id < found.id)
      ) {
        found = task;
      }
    }
    return found;
  }

  private enqueue(cpu: Cpu, task: SequentialTask, nowNs: number): void {
    task.readyNs = nowNs;
    task.cpu = cpu.id;
    cpu.queue.set(task.id, task.vruntime, this.sequence++);
    cpu.load += task.weight;
    this.waiting++;
    if (cpu.task === undefined && nowNs > cpu.clockNs) cpu.clockNs = nowNs;
  }

  /** A task's virtual runtime as it counts on a processor. */
  private moved(task: SequentialTask, to: Cpu, nowNs: number): number {
    const from = this.cpus[task.cpu] as Cpu;
    from.advance(nowNs);
    return from === to ? task.vruntime : task.vruntime - from.minVruntime + to.minVruntime;
  }

  /** Enters the time of a processor's next event. */
  private plan(cpu: Cpu, nowNs: number): void {
    this.changed = true;
    if (cpu === this.active) return;
    const task = cpu.task;
    if (cpu.spinning || (task === undefined && cpu.queue.size === 0)) {
      this.events.remove(cpu.id);
      return;
    }
    let atNs = cpu.clockNs;
    if (task !== undefined) {
      atNs = Math.min(cpu.spendEndNs, Math.max(this.sliceLimit(cpu, task), nowNs));
      if (atNs < cpu.clockNs) atNs = cpu.clockNs;
    }
    const turns = atNs === cpu.turnNs ? cpu.turns : 0;
    this.events.set(cpu.id, atNs, turns * MAX_TIE + tieOf(this.settings.seed, cpu.id, atNs));
  }

  private place(task: SequentialTask): Cpu {
    if (task.bound >= 0) return this.cpus[task.bound] as Cpu;
    const count = this.cpus.length;
    let best = this.cpus[task.cpu >= 0 ? task.cpu : this.settings.seed % count] as Cpu;
    for (let step = 0; step < count && best.load > 0; step++) {
      const cpu = this.cpus[(this.settings.seed + step) % count] as Cpu;
      if (cpu.load < best.load) best = cpu;
    }
    return best;
  }

  private idle(): Cpu | undefined {
    return this.cpus.find((cpu) => cpu.load === 0);
  }
}
