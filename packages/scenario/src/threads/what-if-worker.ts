/** A worker of what-if: tries the variants that it is told to, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { sendError } from '@thplab/sync';
import { ScenarioError } from '../format/index.js';
import { whatIfVariantInPieces } from '../what-if/what-if.js';
import type { VariantAnswer, VariantTask, WhatIfWorkerData } from './what-if-protocol.js';

const { snapshot, options, shared } = workerData as WhatIfWorkerData;
const stop = new Int32Array(shared.stop);
const virtualNs = new Float64Array(shared.virtualNs);

parentPort?.on('message', (task: VariantTask) => parentPort?.postMessage(tried(task)));

function tried({ number, variant }: VariantTask): VariantAnswer {
  const shouldStop = (): boolean => Atomics.load(stop, 0) !== 0;
  try {
    const pieces = whatIfVariantInPieces(snapshot, variant, { ...options, shouldStop });
    for (;;) {
      const piece = pieces.next();
      if (piece.done !== true) virtualNs[number] = piece.value;
      else
        return { number, outcome: shouldStop() && !piece.value.settled ? { stopped: true } : { result: piece.value } };
    }
  } catch (error) {
    const outcome = error instanceof ScenarioError ? { problems: error.problems } : { error: sendError(error) };
    return { number, outcome };
  }
}
