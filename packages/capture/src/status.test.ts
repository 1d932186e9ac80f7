import { describe, expect, it } from 'vitest';
import { parseStartTime, parseStatus } from './status.js';

describe('parseStatus', () => {
  it('reads the lines that a capture uses', () => {
    const text =
      'Name:\tweb: 1\nState:\tS (sleeping)\nKthread:\t0\nVmSize:\t   3060 kB\nRssAnon:\t  112 kB\nTHP_enabled:\t0\nThreads:\t7\n';
    expect(parseStatus(text)).toEqual({
      name: 'web: 1',
      state: 'S',
      threads: 7,
      kernelThread: false,
      thpEnabled: false,
      kb: { VmSize: 3060, RssAnon: 112 },
    });
  });

  it('tells a kernel thread, and an old kernel that prints no THP_enabled', () => {
    expect(parseStatus('Name:\tkhugepaged\nState:\tS (sleeping)\nKthread:\t1\n')).toMatchObject({
      kernelThread: true,
      thpEnabled: null,
      kb: {},
    });
  });
});

describe('parseStartTime', () => {
  it('finds field 22 behind a name with blanks and brackets', () => {
    const fields = Array.from({ length: 30 }, (_, index) => String(index + 4));
    expect(parseStartTime(`12 (a) b (c) S ${fields.join(' ')}`)).toBe('22');
  });
});
