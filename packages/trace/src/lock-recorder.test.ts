import { describe, expect, it } from 'vitest';
import { LockRecorder } from './lock-recorder.js';

const READ = 0;
const WRITE = 1;

describe('a lock recorder', () => {
  it('pairs taking and giving back per lock and task', () => {
    const recorder = new LockRecorder({ describe: (lock) => `lock[${lock}]` });
    recorder.lockTaken(7, READ, 1, 0, 100, 0);
    recorder.lockTaken(7, READ, 2, 1, 150, 50);
    recorder.lockGiven(7, READ, 1, 0, 200);
    recorder.lockGiven(7, READ, 2, 1, 300);
    expect(recorder.holds(999)).toEqual([
      { lock: 'lock[7]', mode: 'read', task: 1, cpu: 0, startNs: 100, endNs: 200, waitNs: 0 },
      { lock: 'lock[7]', mode: 'read', task: 2, cpu: 1, startNs: 150, endNs: 300, waitNs: 50 },
    ]);
  });

  it('ends a hold that is still open at the given time, and shows a downgraded one as it was taken', () => {
    const recorder = new LockRecorder({ describe: String });
    recorder.lockTaken(2 ** 32 + 5, WRITE, 1, 0, 10, 0);
    expect(recorder.holds(40)).toMatchObject([{ lock: '4294967301', mode: 'write', startNs: 10, endNs: 40 }]);
    recorder.lockGiven(2 ** 32 + 5, READ, 1, 0, 60);
    expect(recorder.holds(90)).toMatchObject([{ mode: 'write', startNs: 10, endNs: 60 }]);
  });

  it('keeps as many as the limit says, and counts the rest', () => {
    const recorder = new LockRecorder({ describe: String, limit: 2 });
    for (let i = 0; i < 5; i++) {
      recorder.lockTaken(i, WRITE, 1, 0, i, 0);
      recorder.lockGiven(i, WRITE, 1, 0, i + 1);
    }
    recorder.lockGiven(9, WRITE, 1, 0, 9);
    expect(recorder.holds(10).map(({ lock }) => lock)).toEqual(['0', '1']);
    expect(recorder.dropped).toBe(3);
  });
});
