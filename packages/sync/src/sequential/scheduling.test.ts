import { describe, expect, it } from 'vitest';
import { SyncDomain } from '../locks.js';
import { now, type Procedure, preempt, sleep, spend, wait, wake } from '../operations.js';
import { SequentialExecutor } from './executor.js';
import type { SequentialOptions } from './settings.js';
import { tieOf, weightOfNice } from './weights.js';

const MS = 1_000_000;

function make(options: SequentialOptions = {}): SequentialExecutor {
  return new SequentialExecutor(new SyncDomain(), { contextSwitchNs: 0, ...options });
}

/** Spends for ever, that much at a time. */
function hog(ns: number): () => Procedure<void> {
  return function* () {
    for (;;) yield spend(ns);
  };
}

/** One spend, noting when it was over. */
function once(ns: number, log: string[], name: string): () => Procedure<void> {
  return function* () {
    yield spend(ns);
    log.push(`${name} ${yield now()}`);
  };
}

describe('weights', () => {
  it('are 1024 at nice 0 and a factor of 1.25 per step', () => {
    expect([-20, -1, 0, 1, 10, 19].map(weightOfNice)).toEqual([88_818, 1280, 1024, 819, 110, 15]);
    expect(() => weightOfNice(20)).toThrow(RangeError);
    expect(() => weightOfNice(0.5)).toThrow(RangeError);
  });
});

describe('sharing one processor', () => {
  it('equal tasks get equal time', () => {
    const executor = make();
    const tasks = ['a', 'b', 'c'].map((name) => executor.spawn(name, hog(100_000)));
    executor.run({ untilNs: 900 * MS });
    for (const task of tasks) expect(Math.abs(task.cpuNs - 300 * MS)).toBeLessThanOrEqual(3 * MS);
  });

  it('time goes by weight: nice 0 against nice 5 is 1024 to 336', () => {
    const executor = make();
    const a = executor.spawn('a', hog(50_000));
    const b = executor.spawn('b', hog(70_000), { nice: 5 });
    executor.run({ untilNs: 10_000 * MS });
    expect(a.cpuNs + b.cpuNs).toBeGreaterThan(9_999 * MS);
    expect(a.cpuNs / b.cpuNs).toBeCloseTo(1024 / 336, 1);
  });

  it('a long spend is split at slice ends while another task is runnable', () => {
    const executor = make();
    const log: string[] = [];
    executor.spawn('long', once(100 * MS, log, 'long'));
    executor.spawn('short', once(1 * MS, log, 'short'));
    executor.run();
    expect(log).toEqual([`short ${4 * MS}`, `long ${101 * MS}`]);
  });

  it('a long spend that began alone is split when a task comes later', () => {
    const executor = make();
    const log: string[] = [];
    executor.spawn('khugepaged', once(100 * MS, log, 'khugepaged'), { nice: 19 });
    executor.spawn('faulter', once(5 * MS, log, 'faulter'), { startNs: 20 * MS });
    executor.run();
    // Runs at once, for the slice that a sleeper may be ahead; then khugepaged has one slice, then the rest of 2 ms.
    expect(log).toEqual([`faulter ${28 * MS}`, `khugepaged ${105 * MS}`]);
  });

  it('without rivals nothing is split and nothing switched', () => {
    const executor = make({ contextSwitchNs: 1500 });
    const log: string[] = [];
    executor.spawn('alone', once(100 * MS, log, 'alone'));
    const outcome = executor.run();
    expect([log, outcome.steps]).toEqual([[`alone ${100 * MS}`], 2]);
  });

  it('one that sleeps a lot preempts a hog when it wakes, and a just as hungry one does not', () => {
    const executor = make();
    const late: number[] = [];
    executor.spawn('hog', hog(10 * MS));
    executor.spawn('sleeper', function* (): Procedure<void> {
      for (let round = 0; round < 50; round++) {
        const before = yield now();
        yield sleep(10 * MS);
        late.push((yield now()) - before - 10 * MS);
        yield spend(10_000);
      }
    });
    executor.run({ untilNs: 1000 * MS });
    expect(late).toHaveLength(50);
    expect(Math.max(...late)).toBe(0);
  });

  it('a preemption point gives way only when the slice is used up', () => {
    const executor = make({ sliceNs: 1000 });
    const log: string[] = [];
    const work = (name: string) =>
      function* (): Procedure<void> {
        for (let round = 0; round < 4; round++) {
          log.push(`${name}${round}`);
          yield spend(600);
          yield preempt();
        }
      };
    executor.spawn('a', work('a'));
    executor.spawn('b', work('b'));
    executor.run();
    // a0, and a1 until the slice of 1000 ends within its spend; b0 and b1 likewise; then a finishes a1 and goes on.
    expect(log).toEqual(['a0', 'a1', 'b0', 'b1', 'a2', 'a3', 'b2', 'b3']);
  });

  it('taking up another task costs the context switch, going on with the same one does not', () => {
    const executor = make({ contextSwitchNs: 1500 });
    const log: string[] = [];
    executor.spawn('a', once(1000, log, 'a'));
    executor.spawn('b', function* (): Procedure<void> {
      yield sleep(10_000);
      log.push(`b ${yield now()}`);
      yield sleep(10_000);
      log.push(`b ${yield now()}`);
    });
    executor.run();
    expect(log).toEqual(['a 1000', 'b 12500', 'b 22500']);
  });
});

describe('several processors', () => {
  it('unbound tasks spread, bound ones stay', () => {
    const executor = make({ cpus: 3 });
    const seen: number[] = [];
    const note = function* (): Procedure<void> {
      seen.push(executor.current.cpu);
      yield spend(MS);
    };
    executor.spawn('bound', note, { cpu: 2 });
    executor.spawn('x', note);
    executor.spawn('y', note);
    executor.run();
    expect(seen.sort()).toEqual([0, 1, 2]);
  });

  it('an idle processor takes an unbound waiting task from a busy one, never a bound one', () => {
    const executor = make({ cpus: 2 });
    const log: string[] = [];
    executor.spawn('short', once(1 * MS, log, 'short'), { cpu: 1 });
    executor.spawn('a', once(10 * MS, log, 'a'), { cpu: 0 });
    executor.spawn('b', once(10 * MS, log, 'b'), { cpu: 0 });
    const mover = executor.spawn('mover', once(10 * MS, log, 'mover'));
    executor.run();
    // Two on processor 0, one on processor 1 when the mover comes: it goes to 1, behind the short one.
    expect(log[0]).toBe(`short ${1 * MS}`);
    expect(log).toContain(`mover ${11 * MS}`);
    expect(mover.cpuNs).toBe(10 * MS);
    const other = make({ cpus: 2 });
    const pulled: string[] = [];
    other.spawn('one', once(2 * MS, pulled, 'one'));
    other.spawn('two', once(2.9 * MS, pulled, 'two'));
    other.spawn('three', once(3 * MS, pulled, 'three'));
    other.spawn('four', once(3 * MS, pulled, 'four'));
    other.run();
    // 0 runs one, then three from 2 ms; 1 runs two until 2.9 ms, then four until 5.9 ms.
    expect(pulled).toEqual([`one ${2 * MS}`, `two ${2.9 * MS}`, `three ${5 * MS}`, `four ${5.9 * MS}`]);
  });

  it('an idle processor pulls across when its own queue is empty', () => {
    const executor = make({ cpus: 2 });
    const log: string[] = [];
    executor.spawn('long', once(20 * MS, log, 'long'), { cpu: 0 });
    executor.spawn('brief', once(1 * MS, log, 'brief'), { cpu: 1, nice: -20 });
    // The load by weight is larger on processor 1, so this one queues behind the long task, and is pulled at 1 ms.
    executor.spawn('third', once(5 * MS, log, 'third'));
    executor.run();
    expect(log).toEqual([`brief ${1 * MS}`, `third ${6 * MS}`, `long ${20 * MS}`]);
  });

  it('an idle processor leaves a task alone whose own processor is about to take it up', () => {
    const executor = make({ cpus: 2, contextSwitchNs: 1500 });
    const log: string[] = [];
    executor.spawn('x', once(100, log, 'x'));
    executor.spawn('y', function* (): Procedure<void> {
      yield sleep(100);
      log.push(`y ${yield now()} on ${executor.current.cpu}`);
    });
    executor.run();
    expect(log).toEqual(['x 100', 'y 100 on 1']);
  });

  it('a pulled task takes its load along: the next one that wakes goes to the emptier processor', () => {
    const executor = make({ cpus: 2 });
    const log: string[] = [];
    executor.spawn('long', once(20 * MS, log, 'long'), { cpu: 0 });
    executor.spawn('brief', once(1 * MS, log, 'brief'), { cpu: 1, nice: -20 });
    // Queues behind the long task and is pulled to processor 1 at 1 ms.
    executor.spawn('heavy', once(20 * MS, log, 'heavy'), { nice: -1 });
    executor.spawn(
      'newcomer',
      function* (): Procedure<void> {
        log.push(`newcomer on ${executor.current.cpu}`);
        yield spend(1);
      },
      { startNs: 2 * MS },
    );
    executor.run();
    expect(log.slice(0, 2)).toEqual([`brief ${1 * MS}`, 'newcomer on 0']);
  });

  it('a sleeper that wakes on another processor keeps the lead it has over the one it left', () => {
    const executor = make({ cpus: 2 });
    const log: string[] = [];
    executor.spawn('sleeper', function* (): Procedure<void> {
      yield spend(0.5 * MS);
      yield sleep(20.3 * MS);
      log.push(`sleeper ${yield now()} on ${executor.current.cpu}`);
    });
    executor.spawn('left', hog(100 * MS), { cpu: 0, nice: -5, startNs: 1 * MS });
    executor.spawn('met', hog(100 * MS), { cpu: 1, startNs: 19 * MS });
    executor.run({ untilNs: 90 * MS });
    // Behind processor 0's least by 3.5 ms of its time, so as far ahead on processor 1 as a sleeper may be: preempts.
    expect(log).toEqual([`sleeper ${20.8 * MS} on 1`]);
  });

  it('time without a processor is counted', () => {
    const executor = make();
    const [a, b] = ['a', 'b'].map((name) => executor.spawn(name, once(2 * MS, [], name)));
    executor.run();
    expect([a?.runWaitNs, b?.runWaitNs]).toEqual([0, 2 * MS]);
  });

  it('at one instant processors go by number with seed 0, and in an order of the seed otherwise', () => {
    const order = (seed: number): string => {
      const executor = make({ cpus: 4, seed });
      const log: number[] = [];
      for (let cpu = 0; cpu < 4; cpu++) {
        executor.spawn(
          `${cpu}`,
          function* (): Procedure<void> {
            for (let round = 0; round < 3; round++) {
              log.push(cpu);
              yield spend(100);
            }
          },
          { cpu },
        );
      }
      executor.run();
      return log.join('');
    };
    expect(order(0)).toBe('012301230123');
    expect(order(5)).toBe(order(5));
    const orders = new Set(Array.from({ length: 10 }, (_, seed) => order(seed)));
    expect(orders.size).toBeGreaterThan(5);
    for (const one of orders) expect([...one].sort().join('')).toBe('000111222333');
    expect(tieOf(3, 1, 100)).not.toBe(tieOf(3, 1, 200));
  });

  it('a timer goes off before any step of that instant', () => {
    const executor = make({ cpus: 2 });
    const queue = executor.domain.waitQueue('queue');
    const log: string[] = [];
    executor.spawn('waker', function* (): Procedure<void> {
      yield spend(5000);
      log.push(`woke ${yield wake(queue)}`);
    });
    executor.spawn('waiter', function* (): Procedure<void> {
      log.push(`answer ${yield wait(queue, 5000)}`);
    });
    executor.run();
    expect(log).toEqual(['woke 0', 'answer 0']);
  });

  it('a loop of trying and a preemption point lets the others of that instant go on', () => {
    const executor = make({ cpus: 2 });
    let flag = false;
    executor.spawn('poller', function* (): Procedure<void> {
      while (!flag) yield preempt();
    });
    executor.spawn('setter', function* (): Procedure<void> {
      yield preempt();
      flag = true;
      yield preempt();
    });
    expect(executor.run({ maxSteps: 100 }).end).toBe('idle');
  });
});
