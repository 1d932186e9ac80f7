import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { KPF, KpageReader, kpfWord, pageFlagsOf } from './kpage-files.js';
import { PageFlag } from './page-kind.js';
import { ReadOnlyFile } from './proc-files.js';

const FRAMES = 40_000;
const directory = mkdtempSync(join(tmpdir(), 'thplab-kpage-'));
const path = join(directory, 'kpagecount');
const contents = new BigUint64Array(FRAMES).map((_, index) => BigInt(index) * 3n + (BigInt(index) << 32n));
writeFileSync(path, contents);
const file = new ReadOnlyFile(path);
afterAll(() => {
  file.close();
  rmSync(directory, { recursive: true });
});

describe('KpageReader', () => {
  it('gives each frame its own word, whatever the gaps; zeros beyond the end', () => {
    const reader = new KpageReader(file);
    const frame = fc.oneof(fc.integer({ min: 0, max: FRAMES + 50 }), fc.integer({ min: 100, max: 200 }));
    fc.assert(
      fc.property(fc.uniqueArray(frame, { minLength: 1, maxLength: 400 }), (unsorted) => {
        const frames = Uint32Array.from(unsorted).sort();
        const seen: [number, number, number][] = [];
        for (let from = 0; from < frames.length; ) {
          from = reader.readRun(frames, from, (index, low, high) => seen.push([index, low, high]));
        }
        const expected = [...frames].map((one, index) => [index, one < FRAMES ? one * 3 : 0, one < FRAMES ? one : 0]);
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('reads long rows of frames with few reads', () => {
    const reader = new KpageReader(file);
    const frames = Uint32Array.from({ length: FRAMES }, (_, index) => index);
    let reads = 0;
    for (let from = 0; from < FRAMES; reads++) from = reader.readRun(frames, from, () => undefined);
    expect(reads).toBe(Math.ceil(FRAMES / 8192));
  });
});

describe('page flags', () => {
  it('carry mlocked over from the upper half', () => {
    expect(pageFlagsOf(kpfWord(KPF.lru | KPF.swapBacked, 2))).toBe(
      PageFlag.lru | PageFlag.swapBacked | PageFlag.mlocked,
    );
    expect(pageFlagsOf(kpfWord(KPF.mlocked | KPF.locked, 0))).toBe(PageFlag.locked);
  });
});
