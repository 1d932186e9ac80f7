/**
 * What the machine itself gives to several threads at this moment: a loop that shares nothing and hardly touches memory, on
 * one thread and on all. On an idle machine with enough cores that is the number of threads; where others run too, it is less,
 * and no program can do better.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { hrtimeNow } from 'tinybench';

const TURNS = 60_000_000;

/** Workers that wait for the word to turn. */
export class SpareCores {
  readonly #workers: readonly Worker[];

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(new URL('./spin-worker.js', import.meta.url)));
  }

  /** How many times as much work all threads do as one does, measured now. */
  async speedup(): Promise<number> {
    const one = await this.#turn(1);
    const all = await this.#turn(this.#workers.length);
    return (this.#workers.length * one) / all;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Milliseconds until so many workers have made their turns. */
  async #turn(workers: number): Promise<number> {
    const start = hrtimeNow();
    await Promise.all(
      this.#workers.slice(0, workers).map((worker) => {
        worker.postMessage(TURNS);
        return once(worker, 'message');
      }),
    );
    return hrtimeNow() - start;
  }
}
