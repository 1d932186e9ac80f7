/** Turns as often as it is told, and answers with what came out, so that nothing is optimised away. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', (turns: number) => parentPort?.postMessage(spin(turns)));

function spin(turns: number): number {
  let x = 1;
  for (let turn = 0; turn < turns; turn++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}
