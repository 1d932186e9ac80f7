/** Runs cases in a child process, so that a case that ends its process ends nothing else. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from '../case.js';
import type { WatchOutcome, WatchRequest } from '../khugepaged/watch.js';
import type { RealRun } from './run-real.js';
import type { WorkerMessage } from './worker.js';

/** The kernel's side of a case could not be had; the message says why. */
export class RealRunError extends Error {}

/** One child; it is started anew when it has ended. */
export class RealChild {
  private child: ChildProcess | undefined;

  /** Runs one case. Errors: RealRunError. */
  async run(given: Case): Promise<RealRun> {
    if (given.ownProcess === true) {
      const own = new RealChild();
      try {
        return await own.run({ ...given, ownProcess: false });
      } finally {
        own.close();
      }
    }
    const message = await this.ask(given);
    if (message.kind === 'ran') return message.run;
    throw new RealRunError(message.kind === 'failed' ? message.why : 'the child is confused');
  }

  /** Watches khugepaged, which takes ten seconds a wake-up; or says why that tells nothing now. Errors: RealRunError. */
  async watch(request: WatchRequest): Promise<WatchOutcome | { readonly busy: string }> {
    const message = await this.ask(request);
    if (message.kind === 'watched') return message.outcome;
    if (message.kind === 'busy') return { busy: message.why };
    throw new RealRunError(message.kind === 'failed' ? message.why : 'the child is confused');
  }

  private async ask(what: Case | WatchRequest): Promise<WorkerMessage> {
    this.child ??= await start();
    const { child } = this;
    const answer = nextMessage(child);
    child.send(what);
    return answer.catch((error: unknown) => {
      this.child = undefined;
      throw error;
    });
  }

  close(): void {
    this.child?.kill();
    this.child = undefined;
  }
}

async function start(): Promise<ChildProcess> {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  const child = fork(here('./worker.ts'), [], {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      '--import',
      new URL('../../from-source.mjs', import.meta.url).href,
    ],
    serialization: 'advanced',
    // Options for other Nodes, such as a test runner's, are not meant for this one.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const message = await nextMessage(child);
  if (message.kind === 'failed') throw new RealRunError(message.why);
  return child;
}

function nextMessage(child: ChildProcess): Promise<WorkerMessage> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null, signal: string | null): void => {
      child.off('message', heard);
      reject(new RealRunError(`the process that ran the case ended: ${signal ?? `exit code ${code}`}`));
    };
    const heard = (message: WorkerMessage): void => {
      child.off('exit', ended);
      resolve(message);
    };
    child.once('message', heard as (message: unknown) => void);
    child.once('exit', ended);
  });
}
