import { describe, expect, it } from 'vitest';
import { PageFlag, PageKind } from '../page-kind.js';
import { readSnapshot } from '../read-snapshot.js';
import { parseSmaps } from '../smaps.js';
import type { Snapshot } from '../snapshot.js';
import { samplePages, sampleSnapshot, sampleVma } from '../testing/sample-snapshot.js';
import { writeSnapshot } from '../write-snapshot.js';
import { PageHeat } from './page-heat.js';
import { hugeBlocks, indexFrames, placeSamples } from './place-samples.js';
import { blocksOfSmaps, hugeBlocksCounted } from './smaps-blocks.js';

/** 512 pages of one huge page at frame 0x40000, then two pages at 0x99 and 0x98. */
function snapshot(keepsFrames: boolean): Snapshot {
  const rows = Array.from({ length: 514 }, (_, at) => ({
    vpn: 1024 + at,
    kind: PageKind.anon,
    frame: at,
    flags: at < 512 ? PageFlag.pmdMapped : 0,
  }));
  const pfn = Uint32Array.from(rows, (_, at) => (at < 512 ? 0x40000 + at : 0x99 - (at - 512)));
  const pages = samplePages(rows);
  return sampleSnapshot(
    [sampleVma({ startVpn: 1024, endVpn: 2048, rowCount: 514 })],
    keepsFrames ? { ...pages, pfn } : pages,
  );
}

function heat(...pages: readonly number[]): PageHeat {
  const made = new PageHeat();
  for (const page of pages) made.add(page);
  return made;
}

describe('samples by physical address', () => {
  it('are placed where the process maps the frame', () => {
    const physical = heat(0x40000, 0x40000, 0x40007, 0x98, 0x12345);
    const { virtual, placed, elsewhere } = placeSamples(physical, indexFrames(snapshot(true), physical));
    expect([...virtual.entries()]).toEqual([
      [1024, 2],
      [1031, 1],
      [1537, 1],
    ]);
    expect({ placed, elsewhere }).toEqual({ placed: 4, elsewhere: 1 });
  });

  it('are placed alike by a snapshot from a file', () => {
    const kept = snapshot(true);
    expect(readSnapshot(writeSnapshot(kept))).toEqual(kept);
    const physical = heat(0x40000);
    expect(indexFrames(readSnapshot(writeSnapshot(kept)), physical)).toEqual(new Map([[0x40000, 1024]]));
  });

  it('cannot be placed without frame numbers, and the error says how to get them', () => {
    expect(() => indexFrames(snapshot(false), heat(1))).toThrow(/--keep-frames/);
  });

  it('only blocks that a PMD maps can be split', () => {
    expect(hugeBlocks(snapshot(true))).toEqual(new Set([1024]));
  });
});

describe('without samples', () => {
  const smaps = [
    '7f0000000000-7f0000a00000 rw-p 00000000 00:00 0 ',
    'Rss:               10240 kB',
    'AnonHugePages:      4096 kB',
    '7f1000100000-7f1000600000 rw-p 00000000 00:00 0 ',
    'AnonHugePages:      2048 kB',
    '7f2000000000-7f2000a00000 rw-p 00000000 00:00 0 ',
    'AnonHugePages:         0 kB',
  ].join('\n');

  it('every block of a VMA with huge pages is a candidate, which is too many', () => {
    const entries = parseSmaps(smaps);
    const starts = blocksOfSmaps(entries, 4096, 9).map(({ startPage }) => startPage.toString(16));
    expect(starts).toEqual(['7f0000000', '7f0000200', '7f0000400', '7f0000600', '7f0000800', '7f1000200', '7f1000400']);
    expect(hugeBlocksCounted(entries, 4096, 9)).toBe(3);
  });
});
