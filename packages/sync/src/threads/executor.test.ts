import { Random } from '@thplab/arena';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunOutcome } from '../executor.js';
import { LOCK_OWNER, LOCK_STATE } from '../locks.js';
import { acquire, type Procedure, release, sleep, WRITE, wait, wake } from '../operations.js';
import { LockWorld } from '../testing/lock-world.js';
import { endTestWorkers, programsUrl, testWorker } from '../testing/thread-workers.js';
import { LockTimeoutError, StoppedError, WorkerDiedError } from './errors.js';
import { ThreadsExecutor, type ThreadsOptions, type WorkerPort } from './executor.js';
import { sendError } from './messages.js';
import { runOnMainThread, runOnThread } from './run-on-thread.js';
import { createThreadsArena, RUN, THREAD, THREAD_STATE, type ThreadsView } from './tables.js';

afterAll(endTestWorkers);

interface Started {
  readonly world: LockWorld;
  readonly executor: ThreadsExecutor;
  readonly tables: ThreadsView;
}

/** Tasks of one program, numbered by their seeds. */
function start(program: string, count: number, options: Partial<ThreadsOptions> = {}): Started {
  const world = new LockWorld();
  const arena = createThreadsArena({ threads: 4 });
  const executor = new ThreadsExecutor(world.domain, { tables: arena.tables, worker: testWorker, ...options });
  for (let seed = 0; seed < count; seed++) {
    const data = { memory: world.memory, threads: arena.handle, seed };
    executor.spawnNamed(`${program}${seed}`, { module: programsUrl(), export: program, data });
  }
  return { world, executor, tables: arena.tables };
}

/** Locks whose words say that a task has them for WRITE. */
function ownedBy(world: LockWorld, task: number): string[] {
  const owned: string[] = [];
  for (const lockClass of [world.rwsem, world.vma, world.spin]) {
    for (let at = 0; at < 4; at++) {
      const state = world.word(lockClass, at, LOCK_STATE);
      if (state === -1 && world.word(lockClass, at, LOCK_OWNER) === task) owned.push(`${lockClass.name}[${at}]`);
    }
  }
  return owned;
}

describe('a thread that dies', () => {
  it('at any of 100 moments ends the run at once, with its name and the locks it held', async () => {
    const random = new Random(7);
    let heldSomething = 0;
    for (let moment = 0; moment < 100; moment++) {
      const ports: WorkerPort[] = [];
      const worker = (thread: number): WorkerPort => {
        ports[thread] = testWorker(thread);
        return ports[thread] as WorkerPort;
      };
      const { world, executor } = start('churn', 3, { worker });
      const victim = random.below(3);
      const rounds = 1 + random.below(200);
      let killed: Promise<unknown> | undefined;
      const outcome: RunOutcome = await executor.run({
        shouldStop: () => {
          if (killed === undefined && world.get(victim) >= rounds) killed = ports[victim]?.terminate();
          return false;
        },
      });
      await killed;
      expect(outcome.end).toBe('failed');
      const error = outcome.failure?.error as WorkerDiedError;
      expect(error).toBeInstanceOf(WorkerDiedError);
      expect(error.task).toBe(victim + 1);
      const named = error.held.map(({ name }) => name);
      expect(named).toEqual(expect.arrayContaining(ownedBy(world, victim + 1)));
      expect(error.message).toContain(named.length === 0 ? 'held nothing' : (named[0] as string));
      expect(executor.tasks.map(({ state }) => state).sort()).toEqual(['blocked', 'blocked', 'failed']);
      if (named.length > 0) heldSomething++;
    }
    expect(heldSomething).toBeGreaterThan(0);
  });
});

describe('the watchdog', () => {
  it('names waiter, holder and the chain of a lock that is waited for too long', async () => {
    const { executor } = start('crossed', 2, { lockLimitMs: 60 });
    const outcome = await executor.run();
    expect(outcome.end).toBe('failed');
    const error = outcome.failure?.error as LockTimeoutError;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.deadlock).toBe(true);
    expect(error.chain.map(({ name }) => name).sort()).toEqual(['crossed0', 'crossed1']);
    expect(error.message).toMatch(/waits for mmap_lock\[\d\] WRITE of task \d 'crossed\d' \(holds\)/);
    expect(error.message).toContain('a deadlock');
  });
});

describe('a run on threads', () => {
  it('loses no wake-up between check and wait', async () => {
    const { executor } = start('checkAndWait', 2);
    const outcome = await executor.run();
    expect(outcome.failure?.error).toBeUndefined();
    expect(executor.tasks.map(({ result }) => result)).toEqual(['done', 'done']);
  });

  it('ends as idle when everyone waits to be woken', async () => {
    const { executor } = start('waitsForEver', 3);
    expect((await executor.run()).end).toBe('idle');
    expect(executor.tasks.map(({ state }) => state)).toEqual(['blocked', 'blocked', 'blocked']);
  });

  it('does not end as idle while somebody was woken and has not got a processor yet', async () => {
    const { executor, tables } = start('waitsForEver', 1, { worker: () => port });
    const listeners: ((message: never) => void)[] = [];
    const port: WorkerPort = {
      on: (event, listener) => event === 'message' && listeners.push(listener),
      off: () => {},
      // It waits on a queue that has been woken since: no other thread is there to see it go on.
      postMessage: () => {
        const { word } = tables.thread;
        word[THREAD.queueAt] = 0;
        word[THREAD.queueStamp] = tables.threadQueue.word[0] - 1;
        word[THREAD.state] = THREAD_STATE.waitsForWake;
      },
      terminate: async () => {},
    };
    let looks = 0;
    const outcome = await executor.run({
      shouldStop: () => {
        expect(tables.threadRun.word[RUN.stop]).toBe(0);
        if (++looks < 5) return false;
        const error = sendError(new StoppedError('told to stop'));
        for (const listener of listeners) listener({ kind: 'failed', task: 1, error } as never);
        return true;
      },
    });
    expect([outcome.end, looks]).toEqual(['stopped', 5]);
  });

  it('ends as stopped when asked', async () => {
    const { executor, world } = start('churn', 2);
    const outcome = await executor.run({ shouldStop: () => world.get(0) > 50 && world.get(1) > 50 });
    expect(outcome).toMatchObject({ end: 'stopped' });
  });

  it('has no closures: a procedure goes by its name', () => {
    const { executor } = start('churn', 0);
    expect(() => executor.spawn('closure', function* () {})).toThrow(/cannot be sent/);
  });
});

describe('a procedure on this thread', () => {
  const options = { tables: createThreadsArena().tables, thread: 0, task: 1, name: 'own' };

  it('runs to its end, in its own virtual time', () => {
    const world = new LockWorld();
    const current = { nowNs: 0, cpu: 0, task: 0 };
    const { result, steps } = runOnThread(
      world.domain,
      (function* () {
        yield acquire(world.rwsem.ref(0), WRITE);
        yield sleep(5000);
        const woken = yield wait(world.queue, 7000);
        yield release(world.rwsem.ref(0), WRITE);
        return woken;
      })(),
      { ...options, current, timeScale: 0 },
    );
    expect([result, steps, current.nowNs]).toEqual([0, 4, 12_000]);
  });

  it('awaits where the thread may not block, and is woken', async () => {
    const world = new LockWorld();
    const tables = createThreadsArena().tables;
    const sleeper = (function* (): Procedure<number> {
      return yield wait(world.queue);
    })();
    const waits = runOnMainThread(world.domain, sleeper, { ...options, tables });
    const waker = (function* (): Procedure<number> {
      return yield wake(world.queue);
    })();
    const woken = await runOnMainThread(world.domain, waker, { ...options, tables, thread: 1, task: 2 });
    expect([(await waits).result, woken.result]).toEqual([1, 1]);
  });

  it('that gives back what it does not hold is told so', () => {
    const world = new LockWorld();
    const wrong = (function* () {
      yield release(world.spin.ref(0));
    })();
    expect(() => runOnThread(world.domain, wrong, options)).toThrow(/gives back pte_lock\[0\]/);
  });
});
