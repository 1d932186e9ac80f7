/** What others ask of a running kdamond: it does so itself, between two samples, so nobody else changes its regions. */
import { type Procedure, wait, wake } from '@thplab/sync';
import type { Damon, DamonRequest } from './damon.js';
import type { RequestOutcome } from './schemes/walk.js';
import { DAMON_STATE } from './state.js';

/**
 * Has the kdamond run something after its next sample, and waits for that (`damon_call`). ECANCELED: it does not run, or ended
 * before. What `run` throws is thrown to the caller.
 */
export function* damonCall(d: Damon, run: () => void): Procedure<RequestOutcome> {
  if (d.t.damonContext.state[d.context] !== DAMON_STATE.running) return 'ECANCELED';
  const request: DamonRequest = { run, state: 0, error: undefined };
  d.requests.push(request);
  while (request.state === 0) yield wait(d.doneQueue);
  if (request.error !== undefined) throw request.error;
  return request.state === 1 ? 0 : 'ECANCELED';
}

/** Serves all that has been asked (`kdamond_call`), or turns it down. */
export function* serveRequests(d: Damon, cancel: boolean = false): Procedure<void> {
  if (d.requests.length === 0) return;
  for (const request of d.requests.splice(0)) {
    if (cancel) request.state = -1;
    else serve(request);
  }
  yield wake(d.doneQueue);
}

function serve(request: DamonRequest): void {
  try {
    request.run();
  } catch (error) {
    request.error = error;
  }
  request.state = 1;
}
