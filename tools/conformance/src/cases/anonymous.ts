/** Which ranges a call works on, which VMAs it accepts, and how it goes on after a failure. */
import { type Case, PUD_RANGE, RANGE, type Step } from '../case.js';
import {
  advise,
  collapse,
  emptied,
  family,
  filled,
  huge,
  map,
  pin,
  protect,
  read,
  scattered,
  uffd,
  unmap,
  wp,
  write,
} from './build.js';

/** Rounding of the call's range: [at, at + pages) of three full ranges. */
const CALLS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [0, 511],
  [1, 511],
  [100, 200],
  [100, 412],
  [511, 1],
  [511, 2],
  [512, 0],
  [0, 512],
  [0, 513],
  [1, 512],
  [1, 1022],
  [1, 1023],
  [1, 1024],
  [512, 512],
  [300, 900],
  [512, 1024],
  [0, 1535],
  [1, 1535],
  [0, 1536],
  [1024, 512],
  [1535, 1],
  [0, 1600],
  [1100, 500],
];

const callRange: Case[] = CALLS.map(([at, pages]) => ({
  name: `call-range/${at}+${pages}`,
  steps: [...filled(3), collapse(at, pages)],
}));

const own = (cases: Case[]): Case[] => cases.map((given) => ({ ...given, ownProcess: true }));

const eligibility: Case[] = [
  ...family('eligibility', {
    'never-touched': [map(0, 512), collapse(0, 512)],
    'only-zero-pages': [map(0, 512), read(0, 512), collapse(0, 512)],
    'zero-pages-and-one-written': [map(0, 512), read(0, 512), write(9, 1), collapse(0, 512)],
    'too-short': [map(0, 511), write(0, 511), collapse(0, 511)],
    'too-short-empty-call': [map(0, 511), write(0, 511), collapse(0, 0), collapse(1, 1), collapse(0, 511)],
    'no-aligned-range': [map(1, 1022), write(1, 1022), collapse(0, 1024), collapse(1, 1022), collapse(512, 512)],
    'just-one-aligned-range': [map(1, 1023), write(1, 1023), collapse(1, 1023)],
    'aligned-range-outside-of-call': [map(1, 1023), write(1, 1023), collapse(1, 511)],
    nohugepage: [...filled(), advise('NOHUGEPAGE', 0, 512), collapse(0, 512)],
    'nohugepage-empty-call': [...filled(), advise('NOHUGEPAGE', 0, 512), collapse(1, 511)],
    'nohugepage-already-huge': [...huge(), advise('NOHUGEPAGE', 0, 512), collapse(0, 512)],
    'nohugepage-taken-back': [...filled(), advise('NOHUGEPAGE', 0, 512), advise('HUGEPAGE', 0, 512), collapse(0, 512)],
    'nohugepage-before-touch': [map(0, 512), advise('NOHUGEPAGE', 0, 512), write(0, 512), collapse(0, 512)],
    hugepage: [...filled(), advise('HUGEPAGE', 0, 512), collapse(0, 512)],
    'hugepage-never-touched': [map(0, 512), advise('HUGEPAGE', 0, 512), collapse(0, 512)],
    'hugepage-huge-zero-page': [map(0, 512), advise('HUGEPAGE', 0, 512), read(3, 1), collapse(0, 512)],
    'hugepage-huge-zero-page-and-anon-vma': [
      map(0, 1024),
      advise('HUGEPAGE', 0, 1024),
      write(512, 1),
      read(3, 1),
      collapse(0, 1024),
    ],
    stack: [map(0, 512, { flags: ['STACK'] }), write(0, 512), collapse(0, 512)],
    'stack-and-hugepage': [
      map(0, 512, { flags: ['STACK'] }),
      advise('HUGEPAGE', 0, 512),
      write(0, 512),
      collapse(0, 512),
    ],
    'already-huge': [...huge(), collapse(0, 512), collapse(0, 512)],
    'huge-twice': [...filled(), collapse(0, 512), collapse(0, 512), collapse(0, 512)],
    'beside-what-was-written': [map(0, 1024), write(0, 1), collapse(512, 512)],
    'empty-range-first': [map(0, 1024), write(512, 512), collapse(0, 1024)],
  }),
  ...own(
    family('prctl', {
      'thp-disabled': [...filled(), { do: 'thpDisable', how: 'completely' }, collapse(0, 512)],
      'thp-disabled-empty-call': [...filled(), { do: 'thpDisable', how: 'completely' }, collapse(1, 511)],
      'thp-disabled-already-huge': [...huge(), { do: 'thpDisable', how: 'completely' }, collapse(0, 512)],
      'thp-disabled-before-touch': [{ do: 'thpDisable', how: 'completely' }, ...huge(), collapse(0, 512)],
      'thp-disabled-and-enabled': [
        ...filled(),
        { do: 'thpDisable', how: 'completely' },
        { do: 'thpDisable', how: 'off' },
        collapse(0, 512),
      ],
      'except-advised': [...filled(), { do: 'thpDisable', how: 'except-advised' }, collapse(0, 512)],
      'except-advised-and-hugepage': [{ do: 'thpDisable', how: 'except-advised' }, ...huge(), collapse(0, 512)],
      'except-advised-and-nohugepage': [
        ...filled(),
        { do: 'thpDisable', how: 'except-advised' },
        advise('NOHUGEPAGE', 0, 512),
        collapse(0, 512),
      ],
      'child-inherits': [
        ...filled(),
        { do: 'thpDisable', how: 'completely' },
        { do: 'fork' },
        { do: 'thpDisable', how: 'off' },
        collapse(0, 512, 1),
        collapse(0, 512),
      ],
    }),
  ),
];

/** Two VMAs that do not merge: the second has other rights. */
const twoVmas = (border: number, pages: number): Step[] => [
  map(0, pages),
  write(0, pages),
  protect(border, pages - border, 'r'),
];

const vmas: Case[] = family('vmas', {
  'border-between-ranges': [...twoVmas(512, 1024), collapse(0, 1024)],
  'border-inside-a-range': [...twoVmas(700, 1536), collapse(0, 1536)],
  'border-inside-the-only-range': [...twoVmas(256, 512), collapse(0, 512)],
  'border-after-one-page': [...twoVmas(1, 512), collapse(0, 512)],
  'border-before-last-page': [...twoVmas(511, 512), collapse(0, 512)],
  'three-vmas': [...filled(3), protect(512, 512, 'r'), collapse(0, 1536)],
  'nohugepage-in-the-middle': [...filled(3), advise('NOHUGEPAGE', 512, 512), collapse(0, 1536)],
  'nohugepage-first': [...filled(2), advise('NOHUGEPAGE', 0, 512), collapse(0, 1024)],
  'nohugepage-last': [...filled(2), advise('NOHUGEPAGE', 512, 512), collapse(0, 1024)],
  'never-touched-in-the-middle': [
    map(0, 512),
    map(512, 512, { rights: 'r' }),
    map(1024, 512),
    write(0, 512),
    write(1024, 512),
    collapse(0, 1536),
  ],
  'hole-in-the-middle': [...filled(3), unmap(512, 512), collapse(0, 1536)],
  'hole-of-one-page': [...filled(3), unmap(600, 1), collapse(0, 1536)],
  'hole-of-one-page-at-a-border': [...filled(3), unmap(512, 1), collapse(0, 1536)],
  'hole-first': [...filled(2), unmap(0, 512), collapse(0, 1024)],
  'hole-last': [...filled(2), unmap(512, 512), collapse(0, 1024)],
  'hole-and-failure': [...filled(4), unmap(512, 512), advise('NOHUGEPAGE', 1024, 512), collapse(0, 2048)],
  'hole-then-pinned': [...filled(3), unmap(512, 512), pin(1030), collapse(0, 1536)],
  'all-unmapped': [...filled(), unmap(0, 512), collapse(0, 512)],
  'nothing-mapped-empty-call': [map(0, 1), unmap(0, 1), collapse(0, 0), collapse(0, 1)],
  'mapping-starts-inside': [map(100, 1000), write(100, 1000), collapse(0, 1536)],
  'mapping-starts-inside-exact': [map(100, 1000), write(100, 1000), collapse(100, 1000)],
  'joined-by-equal-rights': [...twoVmas(512, 1024), protect(512, 512, 'rw'), collapse(0, 1024)],
  'remapped-over-the-middle': [...filled(3), map(512, 512), collapse(0, 1536)],
  'remapped-inside-a-range': [...filled(2), map(100, 50), collapse(0, 1024)],
  'written-beside-never-written': [
    map(0, 300),
    map(300, 212, { rights: 'rwx' }),
    write(0, 300),
    protect(0, 512, 'r'),
    collapse(0, 512),
  ],
  'written-beside-never-written-without-reserve': [
    map(0, 300, { flags: ['NORESERVE'] }),
    map(300, 212, { rights: 'rwx', flags: ['NORESERVE'] }),
    write(0, 300),
    protect(0, 512, 'r'),
    collapse(0, 512),
  ],
  'kinds-of-advice-split': [...filled(2), advise('DONTFORK', 300, 100), collapse(0, 1024)],
});

/** Page states that make a range fail or pass, each for the range that begins at `at`, which is full before. */
const STATES: Readonly<Record<string, (at: number) => Step[]>> = {
  pinned: (at) => [pin(at + 5)],
  'no-table': (at) => [advise('DONTNEED', at, RANGE)],
  'empty-table': emptied,
  guard: (at) => [advise('GUARD_INSTALL', at + 7, 1)],
  'uffd-hole': (at) => [advise('DONTNEED', at + 3, 1), uffd(at, RANGE, 'missing')],
  'uffd-wp': (at) => [uffd(at, RANGE, 'wp'), wp(at + 9, 1)],
  huge: (at) => [collapse(at, RANGE)],
};

const middle: Case[] = Object.entries(STATES).flatMap(([name, make]) => [
  { name: `ranges/full-${name}-full`, steps: [...filled(3), ...make(RANGE), collapse(0, 3 * RANGE)] },
  { name: `ranges/only-${name}`, steps: [...filled(), ...make(0), collapse(0, RANGE)] },
]);

/** The errno is that of the last failing range that was looked at. */
const pairs: Case[] = Object.entries(STATES).flatMap(([first, makeFirst]) =>
  Object.entries(STATES)
    .filter(([second]) => second !== first && first !== 'huge' && second !== 'huge')
    .map(([second, makeSecond]) => ({
      name: `ranges/${first}-then-${second}`,
      steps: [...filled(3), ...makeFirst(0), ...makeSecond(RANGE), collapse(0, 3 * RANGE)],
    })),
);

const missingUpperLevel: Case[] = family('ranges', {
  'no-pmd-table-then-full': [map(PUD_RANGE - 1024, 2048), write(PUD_RANGE, 1024), collapse(PUD_RANGE - 1024, 2048)],
  'full-then-no-pmd-table': [
    map(PUD_RANGE - 1024, 2048),
    write(PUD_RANGE - 1024, 1024),
    collapse(PUD_RANGE - 1024, 2048),
  ],
  'no-pmd-table-only': [map(PUD_RANGE - 1024, 2048), write(PUD_RANGE, 1), collapse(PUD_RANGE - 1024, 1024)],
  'pmd-table-but-empty-entry': [map(PUD_RANGE - 1024, 2048), write(PUD_RANGE, 1), collapse(PUD_RANGE + 512, 512)],
});

const PRESENT = [1, 2, 8, 31, 64, 128, 255, 256, 257, 384, 511, 512];

const limits: Case[] = [
  ...PRESENT.map((count) => ({
    name: `no-limits/present-${count}`,
    steps: [map(0, 512), write(512 - count, count), collapse(0, 512)],
  })),
  ...[3, 16, 100].map((count) => ({
    name: `no-limits/scattered-${count}`,
    steps: [map(0, 512), ...scattered(0, count, Math.floor(512 / count)), collapse(0, 512)],
  })),
  ...family('no-limits', {
    'zero-256': [map(0, 512), write(0, 256), read(256, 256), collapse(0, 512)],
    'zero-511': [map(0, 512), read(0, 511), write(511, 1), collapse(0, 512)],
    'zero-512': [map(0, 1024), write(512, 1), read(0, 512), collapse(0, 512)],
    'zero-and-none': [map(0, 1024), write(512, 1), read(100, 100), collapse(0, 512)],
    'empty-table': [...filled(), ...emptied(0), collapse(0, 512)],
    'empty-table-511+1': [...filled(), advise('DONTNEED', 0, 511), advise('DONTNEED', 511, 1), collapse(0, 512)],
    'emptied-at-once': [...filled(), advise('DONTNEED', 0, 512), collapse(0, 512)],
    'emptied-at-once-and-one-written': [...filled(), advise('DONTNEED', 0, 512), write(77, 1), collapse(0, 512)],
    'emptied-but-one': [...filled(), advise('DONTNEED', 0, 511), collapse(0, 512)],
    'populated-for-reading': [map(0, 1024), write(512, 1), advise('POPULATE_READ', 0, 512), collapse(0, 512)],
    'populated-for-writing': [map(0, 512), advise('POPULATE_WRITE', 0, 512), collapse(0, 512)],
    'eight-ranges': [...filled(8), collapse(0, 4096)],
    'eight-sparse-ranges': [map(0, 4096), ...scattered(3, 8, 512), collapse(0, 4096)],
  }),
];

/** All families of this file. */
export const ANONYMOUS: readonly Case[] = [
  ...callRange,
  ...eligibility,
  ...vmas,
  ...middle,
  ...pairs,
  ...missingUpperLevel,
  ...limits,
];
