/** Golden data of access checks (DAMON spec 1.10). See golden.ts. */

/** Granularity of accessed bits: pages of 512 that look used when one page of 2 MiB is. */
export const ACCESS_GRANULARITY = [
  { row: '1.10 AF of 4 KiB pages', mapping: 'pages', seen: 1 },
  // Mapped by entries: each page has a bit of its own, and the folio's idle flag stays set unless others clear it.
  { row: '1.10 AF of an mTHP', mapping: 'mthp', seen: 1 },
  { row: '1.10 AF of a THP, PMD-mapped', mapping: 'pmd', seen: 512 },
  { row: '1.10 AF of a THP, PTE-mapped', mapping: 'split-pmd', seen: 1 },
] as const;

/** Clearing: the entry before; entry, folio's young flag (for others) and idle flag afterwards. */
export const MKOLD = [
  { row: '1.10 clear PTE', mapping: 'page', lru: true, young: true, after: { entry: false, young: true, idle: true } },
  {
    row: '1.10 clear PTE',
    mapping: 'page',
    lru: true,
    young: false,
    after: { entry: false, young: false, idle: true },
  },
  { row: '1.10 clear PMD', mapping: 'huge', lru: true, young: true, after: { entry: false, young: true, idle: true } },
  {
    row: '1.10 clear PMD',
    mapping: 'huge',
    lru: true,
    young: false,
    after: { entry: false, young: false, idle: true },
  },
  {
    row: '1.10 clear, not on the LRU',
    mapping: 'page',
    lru: false,
    young: true,
    after: { entry: true, young: false, idle: false },
  },
] as const;

/** Checking: the entry, the folio's idle flag, and the answer. */
export const CHECK = [
  { row: '1.10 check', mapping: 'page', young: false, idle: true, accessed: false },
  { row: '1.10 check', mapping: 'page', young: true, idle: true, accessed: true },
  { row: '1.10 check', mapping: 'huge', young: false, idle: true, accessed: false },
  { row: '1.10 check', mapping: 'huge', young: true, idle: true, accessed: true },
  { row: '1.10 not idle counts', mapping: 'page', young: false, idle: false, accessed: true },
  { row: '1.10 not idle counts', mapping: 'huge', young: false, idle: false, accessed: true },
  { row: '1.10 not idle counts', mapping: 'mthp', young: false, idle: false, accessed: true },
] as const;

/** A page that parent and child map, on physical addresses: entries, the answer, and entries after clearing. */
export const PHYSICAL_CHECK = [
  { row: '1.10 paddr, any mapping', young: [false, false], accessed: false },
  { row: '1.10 paddr, any mapping', young: [true, false], accessed: true },
  { row: '1.10 paddr, any mapping', young: [false, true], accessed: true },
  { row: '1.10 paddr, any mapping', young: [true, true], accessed: true },
] as const;

/** A page of a file that nobody maps, on physical addresses. */
export const UNMAPPED_CHECK = [
  { row: '1.10 paddr, unmapped', idle: true, accessed: false },
  { row: '1.10 paddr, unmapped', idle: false, accessed: true },
] as const;

/** 16 neighbouring regions in one huge page: looks in one sample, at each to make it old, and then to check. */
export const REUSE = [
  { row: '1.10 reuse vaddr OLD', operations: 'fvaddr', profile: 'v6.18', regions: 16, looks: 16 + 1 },
  { row: '1.10 reuse vaddr OLD', operations: 'fvaddr', profile: 'v7.1', regions: 16, looks: 16 + 1 },
  { row: '1.10 reuse vaddr NEW: none', operations: 'fvaddr', profile: 'mm-2026', regions: 16, looks: 16 + 16 },
  { row: '1.10 reuse paddr', operations: 'paddr', profile: 'v6.18', regions: 16, looks: 16 + 1 },
  { row: '1.10 reuse paddr', operations: 'paddr', profile: 'mm-2026', regions: 16, looks: 16 + 1 },
] as const;

/** Half a second of monitoring memory in use: flushes of TLBs. */
export const FLUSHES = [
  { row: '1.10 no TLB flush', operations: 'fvaddr', flushes: 0 },
  { row: '1.10 no TLB flush', operations: 'paddr', flushes: 0 },
] as const;

/** A child touches its memory all the time; pages of the parent that look used. */
export const CHILDREN = { row: '1.10 children are not monitored', pages: 64, parentSeen: 0, childSeen: 64 } as const;
