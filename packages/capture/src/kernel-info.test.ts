import { describe, expect, it } from 'vitest';
import { parseBuddyinfo, pmdOrder, readKernelInfo } from './kernel-info.js';
import { fakeProc } from './testing/fake-proc.js';

describe('pmdOrder', () => {
  it('comes from hpage_pmd_size, else from the page size', () => {
    expect(pmdOrder('2097152\n', 4096)).toBe(9);
    expect(pmdOrder('536870912\n', 65536)).toBe(13);
    expect(pmdOrder(null, 4096)).toBe(9);
    expect(pmdOrder(null, 16384)).toBe(11);
    expect(pmdOrder('nonsense', 65536)).toBe(13);
  });
});

describe('parseBuddyinfo', () => {
  it('reads free blocks per zone and order', () => {
    const text = 'Node 0, zone      DMA      0      1      3 \nNode 1, zone   Normal   4414   2409      0 \n';
    expect(parseBuddyinfo(text)).toEqual([
      { node: 0, zone: 'DMA', blocks: [0, 1, 3] },
      { node: 1, zone: 'Normal', blocks: [4414, 2409, 0] },
    ]);
  });
});

describe('readKernelInfo', () => {
  it('reads the settings, not the read-only counters', () => {
    const fake = fakeProc({ smaps: '', pagemap: [], pagemapEnd: 0 });
    try {
      expect(readKernelInfo(fake.procRoot, fake.sysRoot, 4096)).toMatchObject({
        release: '6.18.0-fake',
        pageSize: 4096,
        pmdOrder: 9,
        thp: { enabled: 'always [madvise] never', 'khugepaged/max_ptes_none': '511' },
        memTotalKb: 16384,
        memFreeKb: 8192,
        freeBlocks: [],
      });
    } finally {
      fake.remove();
    }
  });

  it('does without a kernel that has transparent huge pages', () => {
    expect(readKernelInfo('/nowhere', '/nowhere', 4096)).toMatchObject({ thp: {}, pmdOrder: 9, memTotalKb: null });
  });
});
