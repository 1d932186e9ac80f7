/**
 * What-if with a variant on each thread. Variants are machines of their own, so nothing is shared but the snapshot that they
 * start from, and the result is that of one thread, byte for byte.
 */
import { Worker } from 'node:worker_threads';
import type { Snapshot } from '@thplab/capture';
import { receiveError, WorkerDiedError } from '@thplab/sync';
import { ScenarioError } from '../format/index.js';
import { type WhatIfOptions, whatIfResult } from '../what-if/what-if.js';
import type { WhatIfResult, WhatIfVariant, WhatIfVariantResult } from '../what-if/what-if-result.js';
import { checkThreads } from './run-on-threads.js';
import type { VariantAnswer, VariantTask, WhatIfShared, WhatIfWorkerData } from './what-if-protocol.js';

/** Variants under way and done. */
export interface WhatIfLook {
  readonly done: number;
  readonly variants: number;
  readonly running: readonly { readonly variant: number; readonly virtualNs: number }[];
}

/** How to look. */
export interface WhatIfThreadsOptions extends Omit<WhatIfOptions, 'shouldStop'> {
  /** From 1 to MOST_THREADS. */
  readonly threads: number;
  /** Ends the variants under way at once; the result has those that are done. */
  readonly signal?: AbortSignal;
  readonly onLook?: (look: WhatIfLook) => void;
  /** The worker's module; default the one that this package ships. */
  readonly workerUrl?: string | URL;
}

const LOOK_EVERY_MS = 100;

/**
 * Runs the variants. Errors: ScenarioError for settings that the kernel refuses; WorkerDiedError names the variant whose
 * thread ended.
 */
export async function whatIfOnThreads(
  snapshot: Snapshot,
  variants: readonly WhatIfVariant[],
  options: WhatIfThreadsOptions,
): Promise<WhatIfResult> {
  const { threads, signal, onLook, workerUrl, ...look } = options;
  checkThreads(threads);
  const tried = new Trial(snapshot, variants, look, workerUrl ?? new URL('./what-if-worker.js', import.meta.url));
  const stop = (): void => tried.stop();
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop);
  const timer = setInterval(() => onLook?.(tried.look()), LOOK_EVERY_MS);
  try {
    const results = await tried.run(Math.min(threads, variants.length));
    return whatIfResult(snapshot, variants.length, results, look);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
    await tried.close();
  }
}

/** The variants on their way. */
class Trial {
  readonly #variants: readonly WhatIfVariant[];
  readonly #data: WhatIfWorkerData;
  readonly #url: string | URL;
  readonly #stop: Int32Array;
  readonly #virtualNs: Float64Array;
  readonly #workers: Worker[] = [];
  readonly #running = new Set<number>();
  readonly #results: (WhatIfVariantResult | undefined)[] = [];
  #next = 0;
  #done = 0;

  constructor(
    snapshot: Snapshot,
    variants: readonly WhatIfVariant[],
    options: WhatIfWorkerData['options'],
    url: string | URL,
  ) {
    const shared: WhatIfShared = {
      stop: new SharedArrayBuffer(4),
      virtualNs: new SharedArrayBuffer(8 * Math.max(1, variants.length)),
    };
    this.#variants = variants;
    this.#url = url;
    this.#data = { snapshot, options, shared };
    this.#stop = new Int32Array(shared.stop);
    this.#virtualNs = new Float64Array(shared.virtualNs);
  }

  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  look(): WhatIfLook {
    const running = [...this.#running].map((variant) => ({ variant, virtualNs: this.#virtualNs[variant] ?? 0 }));
    return { done: this.#done, variants: this.#variants.length, running };
  }

  /** Results in the order of the variants, without those that were stopped. */
  async run(threads: number): Promise<WhatIfVariantResult[]> {
    await Promise.all(Array.from({ length: threads }, () => this.#thread()));
    return this.#results.filter((result) => result !== undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** One worker: variants until there are no more. */
  async #thread(): Promise<void> {
    const worker = new Worker(this.#url, { workerData: this.#data });
    this.#workers.push(worker);
    while (this.#next < this.#variants.length && Atomics.load(this.#stop, 0) === 0) {
      const number = this.#next++;
      this.#running.add(number);
      const { outcome } = await this.#ask(worker, { number, variant: this.#variants[number] });
      this.#running.delete(number);
      if ('problems' in outcome) throw this.#failed(new ScenarioError(outcome.problems));
      if ('error' in outcome) throw this.#failed(receiveError(outcome.error));
      if ('result' in outcome) {
        this.#results[number] = outcome.result;
        this.#done++;
      }
    }
  }

  #ask(worker: Worker, task: VariantTask): Promise<VariantAnswer> {
    return new Promise((resolve, reject) => {
      const died = (why: unknown): void => {
        const text = why instanceof Error ? why.message : `exit code ${String(why)}`;
        reject(this.#failed(new WorkerDiedError(task.number + 1, task.variant.label, [], text)));
      };
      worker.once('error', died);
      worker.once('exit', died);
      worker.once('message', (answer: VariantAnswer) => {
        worker.off('error', died);
        worker.off('exit', died);
        resolve(answer);
      });
      worker.postMessage(task);
    });
  }

  /** Ends the others too: what they find out is of no use any more. */
  #failed(error: Error): Error {
    this.stop();
    return error;
  }
}
