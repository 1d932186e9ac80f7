import { describe, expect, it } from 'vitest';
import { LockWorld } from '../testing/lock-world.js';
import { threadGate } from './run-on-thread.js';
import { createThreadsArena, GATE, LINE, THREAD } from './tables.js';

describe('the step gate', () => {
  it('lets a task go on whose subject is gone, without a key', () => {
    const { tables } = createThreadsArena({ gateKeys: 4 });
    let key = 2;
    const gate = threadGate(new LockWorld().domain, { tables, thread: 0 }, () => key);
    const words = tables.threadGate.word;
    const state = (): number[] =>
      [words[2 * LINE + GATE.next], words[2 * LINE + GATE.served], tables.thread.word[THREAD.inside]] as number[];
    gate.use(7);
    expect(state()).toEqual([1, 0, 1]);
    // The address space is freed, and the task yields once more before it turns to another one.
    key = 0;
    gate.leave();
    gate.enter();
    expect(state()).toEqual([1, 1, 0]);
    gate.use(0);
    expect(state()).toEqual([1, 1, 0]);
  });

  it('refuses a key that there is none of', () => {
    const { tables } = createThreadsArena({ gateKeys: 4 });
    const gate = threadGate(new LockWorld().domain, { tables, thread: 0 }, () => 4);
    expect(() => gate.use(7)).toThrow(/subject 7 has key 4: no such key/);
  });
});
