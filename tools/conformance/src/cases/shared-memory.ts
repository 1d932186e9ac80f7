/** Shared memory: MAP_SHARED | MAP_ANONYMOUS and memfd. The page cache is collapsed, whoever maps it. */
import type { Case, Step } from '../case.js';
import { advise, collapse, end, family, fork, map, mapKind, pin, protect, read, unmap, unpin, write } from './build.js';

const memfd = (at: number, pages: number, more: Parameters<typeof map>[2] = {}): Step =>
  map(at, pages, { kind: 'memfd', ...more });
const again = (at: number, pages: number, more: Parameters<typeof map>[2] = {}): Step =>
  map(at, pages, { kind: 'memfd', ...more });

/** All of the family. */
export const SHARED_MEMORY: readonly Case[] = family('shared-memory', {
  full: [mapKind(0, 512, 'shared'), write(0, 512), collapse(0, 512)],
  'one-page': [mapKind(0, 512, 'shared'), write(7, 1), collapse(0, 512)],
  'half-written': [mapKind(0, 512, 'shared'), write(0, 256), collapse(0, 512), write(0, 512)],
  'never-touched': [mapKind(0, 512, 'shared'), collapse(0, 512)],
  'emptied-mapping': [mapKind(0, 512, 'shared'), write(0, 512), advise('DONTNEED', 0, 512), collapse(0, 512)],
  'read-only': [mapKind(0, 512, 'shared'), write(0, 512), protect(0, 512, 'r'), collapse(0, 512)],
  'no-access': [mapKind(0, 512, 'shared'), write(0, 512), protect(0, 512, 'none'), collapse(0, 512)],
  nohugepage: [mapKind(0, 512, 'shared'), write(0, 512), advise('NOHUGEPAGE', 0, 512), collapse(0, 512)],
  hugepage: [mapKind(0, 512, 'shared'), advise('HUGEPAGE', 0, 512), write(0, 512), collapse(0, 512)],
  twice: [mapKind(0, 512, 'shared'), write(0, 512), collapse(0, 512), collapse(0, 512)],
  'too-short': [mapKind(0, 511, 'shared'), write(0, 511), collapse(0, 511)],
  pinned: [mapKind(0, 512, 'shared'), write(0, 512), pin(9), collapse(0, 512), unpin, collapse(0, 512)],
  'two-ranges': [mapKind(0, 1024, 'shared'), write(0, 1024), collapse(0, 1024)],
  'empty-range-first': [mapKind(0, 1024, 'shared'), write(512, 512), collapse(0, 1024)],
  'empty-range-last': [mapKind(0, 1024, 'shared'), write(0, 512), collapse(0, 1024)],
  'pinned-range-first': [mapKind(0, 1024, 'shared'), write(0, 1024), pin(9), collapse(0, 1024)],
  'with-a-child': [mapKind(0, 512, 'shared'), write(0, 512), fork, collapse(0, 512)],
  'with-a-child-that-wrote': [mapKind(0, 512, 'shared'), write(0, 512), fork, write(0, 8, 1), collapse(0, 512)],
  'child-collapses': [mapKind(0, 512, 'shared'), write(0, 512), fork, collapse(0, 512, 1)],
  'both-collapse': [mapKind(0, 512, 'shared'), write(0, 512), fork, collapse(0, 512), collapse(0, 512, 1)],
  'child-gone': [mapKind(0, 512, 'shared'), write(0, 512), fork, end(1), collapse(0, 512)],
  'written-after': [mapKind(0, 512, 'shared'), write(0, 512), collapse(0, 512), write(5, 9)],
  'hole-after': [mapKind(0, 512, 'shared'), write(0, 512), collapse(0, 512), advise('DONTNEED', 9, 1), write(9, 1)],
  'memfd-full': [memfd(0, 512), write(0, 512), collapse(0, 512)],
  'memfd-file-ends-inside': [memfd(0, 512, { filePages: 300 }), write(0, 300), collapse(0, 512)],
  'memfd-longer-file': [memfd(0, 512, { filePages: 2048 }), write(0, 512), collapse(0, 512)],
  'memfd-misaligned': [memfd(0, 1024, { pgoff: 1 }), write(0, 1024), collapse(0, 1024)],
  'memfd-second-range-of-file': [memfd(0, 512, { pgoff: 512 }), write(0, 512), collapse(0, 512)],
  'memfd-mapped-twice': [memfd(0, 512), write(0, 512), again(1024, 512), write(1024, 8), collapse(0, 512)],
  'memfd-mapped-twice-both-collapse': [
    memfd(0, 512),
    write(0, 512),
    again(1024, 512),
    write(1024, 8),
    collapse(0, 512),
    collapse(1024, 512),
  ],
  'memfd-filled-by-another-mapping': [memfd(0, 512), write(0, 512), again(1024, 512), collapse(1024, 512)],
  'private-read': [
    memfd(0, 512),
    write(0, 512),
    map(1024, 512, { kind: 'memfd-private' }),
    read(1024, 1),
    collapse(1024, 512),
  ],
  'private-written': [
    memfd(0, 512),
    write(0, 512),
    map(1024, 512, { kind: 'memfd-private' }),
    write(1030, 1),
    collapse(1024, 512),
  ],
  'private-all-written': [map(0, 512, { kind: 'memfd-private' }), write(0, 512), collapse(0, 512)],
  'hole-in-mapping': [mapKind(0, 1536, 'shared'), write(0, 1536), unmap(600, 1), collapse(0, 1536)],
});
