import { describe, expect, it } from 'vitest';
import { exactProfileOfRelease, kernelRelease, loadLibc, MAP, PROT, timed } from './index.js';

describe('the profile of a release', () => {
  it.each([
    ['6.18.44-generic', 'v6.18'],
    ['6.18.0-rc1', 'v6.18'],
    ['6.13.7', 'v6.13'],
    ['6.14.0', undefined],
    ['6.19.1', undefined],
    ['7.2.0', undefined],
    ['5.4.0-100-generic', undefined],
    ['', undefined],
  ])('%j is described by %j', (release, profile) => {
    expect(exactProfileOfRelease(release)).toBe(profile);
  });
});

describe('times', () => {
  it('are the median of samples, each the best of its runs', () => {
    const runs = [50, 10, 30, /**/ 99, 98, 97, /**/ 20, 40, 60];
    expect(timed(() => runs.shift() ?? 0, { samples: 3, runs: 3 })).toBe(20);
  });
});

const { libc, missing } = await loadLibc();

describe('system calls', () => {
  const reason = missing === undefined ? '' : ` (skipped: ${missing})`;
  it.skipIf(libc === undefined)(`give what the kernel gives, errors as negative numbers${reason}`, () => {
    if (libc === undefined) return;
    const bytes = 4 << 20;
    const at = libc.mmap(0, bytes, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS);
    expect(at).toBeGreaterThan(4096);
    expect(libc.mmap(at, bytes, PROT.READ, MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE)).toBe(-17);
    expect(libc.madvise(at + 1, 4096, 25)).toBe(-22);
    const fd = libc.memfd('numbers');
    expect(libc.ftruncate(fd, 4096)).toBe(0);
    // The second place is mapped no more: the first is written, and the call says so.
    expect(libc.munmap(at + 4096, 4096)).toBe(0);
    const places = [0, 4096].map((offset) => ({ address: at + offset, bytes: 8 }));
    expect(libc.preadv(fd, places, 0)).toBe(8);
    expect([libc.munmap(at, bytes), libc.close(fd), libc.close(fd)]).toEqual([0, 0, -9]);
  });

  it.skipIf(libc === undefined)(`make a child with a copy of the memory, which waits to be ended${reason}`, () => {
    if (libc === undefined) return;
    const at = libc.mmap(0, 4096, PROT.READ | PROT.WRITE, MAP.PRIVATE | MAP.ANONYMOUS);
    const word = new BigUint64Array([7n]);
    const there = [{ address: at, bytes: 8 }];
    expect(libc.writeOther(process.pid, { address: libc.addressOf(word), bytes: 8 }, there)).toBe(8);
    const child = libc.forkPaused();
    expect(child).toBeGreaterThan(1);
    word[0] = 9n;
    libc.writeOther(child, { address: libc.addressOf(word), bytes: 8 }, there);
    const read = (pid: number): bigint => {
      const into = new BigUint64Array(1);
      libc.readOther(pid, there, new Uint8Array(into.buffer));
      return into[0];
    };
    expect([read(process.pid), read(child)]).toEqual([7n, 9n]);
    expect([libc.kill(child, 9), libc.waitpid(child), libc.munmap(at, 4096)]).toEqual([0, child, 0]);
  });

  it('say in words why they cannot be had, elsewhere', () => {
    if (process.platform === 'linux') expect(kernelRelease()).toMatch(/^\d+\.\d+/);
    expect(missing === undefined || missing.length > 20).toBe(true);
  });
});
