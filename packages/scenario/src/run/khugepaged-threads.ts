/**
 * The kernel's thread as a task of the executor. Until the run begins it is held back: what the machine finds at time 0 is
 * there at once, and the thread then finds all of it. A scenario may also leave it out altogether.
 */
import type { Khugepaged, StartThread } from '@thplab/khugepaged-scheduler';
import { OP, opcodeOf, type Procedure, type SequentialExecutor, type Task } from '@thplab/sync';
import type { MmapLockWatch } from './mmap-lock-watch.js';
import type { Notice } from './notice.js';

/** See the head of the file. */
export class KhugepagedThreads {
  /** All that there were. */
  readonly tasks: Task[] = [];
  /** False: a start is refused silently. */
  allowed = false;
  readonly #executor: SequentialExecutor;
  readonly #locks: MmapLockWatch;
  readonly #notice: Notice;
  readonly #wanted: boolean;
  #k: Khugepaged | undefined;

  constructor(executor: SequentialExecutor, locks: MmapLockWatch, notice: Notice, wanted: boolean) {
    this.#executor = executor;
    this.#locks = locks;
    this.#notice = notice;
    this.#wanted = wanted;
  }

  /** Processor time of all threads, ns. */
  get cpuNs(): number {
    return this.tasks.reduce((sum, task) => sum + task.cpuNs, 0);
  }

  /** The khugepaged that this starts threads for. */
  attach(k: Khugepaged): void {
    this.#k = k;
  }

  /** `startThread` of khugepaged. */
  readonly start: StartThread = (name, procedure, options) => {
    if (!this.allowed || !this.#wanted) {
      if (this.#k !== undefined) this.#k.t.khugepaged.running[0] = 0;
      return;
    }
    const task = this.#executor.spawn(name, () => this.#watch(procedure()), options);
    this.#locks.kernelTasks.add(task.id);
    this.tasks.push(task);
  };

  /** The procedure, with a notice before each wait: the end of a pass, or of memory. */
  *#watch(procedure: Procedure<void>): Procedure<void> {
    let input = 0;
    for (;;) {
      const made = procedure.next(input);
      if (made.done === true) return;
      if (opcodeOf(made.value) === OP.wait) this.#notice.give();
      input = yield made.value;
    }
  }
}
