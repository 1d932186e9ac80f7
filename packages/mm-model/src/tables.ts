/**
 * The machine as tables. Everything that a simulated machine knows is in these columns; there is no object per page, PTE,
 * folio, VMA or process. See README.md for a picture.
 *
 * Row 0 of a pooled table is never in use, so 0 means "none" in every column that names a row. Frame 0 is the shared zero
 * page, so it is never allocated either.
 */

/** Processes' address spaces (`mm_struct`; khugepaged spec 2.5). */
export const MM_TABLE = {
  doc: 'Address spaces (mm_struct)',
  rows: 'mms',
  pooled: true,
  columns: {
    users: { type: 'i32', doc: 'mm_users: users of the address space; 0 means it is exiting' },
    count: { type: 'i32', doc: 'mm_count: references on the row itself; khugepaged holds one per slot' },
    flags: { type: 'u32', doc: 'MMF_* bits' },
    pgd: { type: 'u32', doc: 'row of the top-level directory' },
    vmaRoot: { type: 'u32', guard: 'mmap_lock', doc: 'root of the tree of VMAs' },
    vmaFirst: { type: 'u32', guard: 'mmap_lock', doc: 'lowest VMA' },
    vmaLast: { type: 'u32', guard: 'mmap_lock', doc: 'highest VMA' },
    vmaCount: { type: 'u32', guard: 'mmap_lock', doc: 'map_count' },
    mmapLock: { type: 'i32', cells: 4, doc: 'mmap_lock, an rw-semaphore' },
    lockSeq: {
      type: 'i32',
      doc: 'mm_lock_seq: advances when mmap_lock is given back after writing, which ends all VMA write locks',
    },
    rssAnon: { type: 'i32', doc: 'MM_ANONPAGES, base pages' },
    rssFile: { type: 'i32', doc: 'MM_FILEPAGES, base pages' },
    rssShmem: { type: 'i32', doc: 'MM_SHMEMPAGES, base pages' },
    swapEnts: { type: 'i32', doc: 'MM_SWAPENTS, base pages' },
    anonThps: { type: 'i32', doc: 'anonymous huge PMD mappings' },
    fileThps: { type: 'i32', doc: 'huge PMD mappings of files and shared memory' },
    pageTables: { type: 'i32', doc: 'PTE tables owned, deposited ones included' },
    lockedVm: { type: 'f64', doc: 'mlocked base pages' },
    pid: { type: 'u32', doc: 'process id' },
    memcg: { type: 'u32', doc: 'memory cgroup that what it allocates is charged to' },
    family: {
      type: 'u32',
      doc: 'address spaces of one number may share folios: relatives by fork, and all that map files (families.ts)',
    },
  },
} as const;

/** Virtual memory areas (khugepaged spec 2.4). */
export const VMA_TABLE = {
  doc: 'Virtual memory areas (vm_area_struct)',
  rows: 'vmas',
  pooled: true,
  columns: {
    mm: { type: 'u32', doc: 'owner' },
    start: { type: 'f64', guard: 'vma_range', doc: 'first page (virtual page number)' },
    end: { type: 'f64', guard: 'vma_range', doc: 'one past the last page' },
    pgoff: {
      type: 'f64',
      guard: 'vma_range',
      doc: 'page offset in the file, or the original page number for anonymous memory',
    },
    flags: { type: 'u32', guard: 'vma', doc: 'VM_* bits' },
    kind: { type: 'u8', doc: 'VMA_KIND: anonymous, shmem, file, dax, special' },
    file: { type: 'u32', doc: 'row of the file, 0 for anonymous memory' },
    fileNext: { type: 'u32', doc: 'next VMA of the file (i_mmap)' },
    filePrev: { type: 'u32', doc: 'previous VMA of the file' },
    anonVma: { type: 'u32', guard: 'vma_anon', doc: 'anon_vma, 0 before the first anonymous fault' },
    avcFirst: { type: 'u32', guard: 'vma_anon', doc: 'first of the chains to anon_vmas' },
    avcLast: { type: 'u32', guard: 'vma_anon', doc: 'last of the chains to anon_vmas' },
    left: { type: 'u32', guard: 'vma_tree', doc: 'tree: lower VMAs' },
    right: { type: 'u32', guard: 'vma_tree', doc: 'tree: higher VMAs' },
    next: { type: 'u32', guard: 'vma_tree', doc: 'next higher VMA' },
    prev: { type: 'u32', guard: 'vma_tree', doc: 'next lower VMA' },
    lock: { type: 'i32', cells: 4, doc: 'per-VMA lock' },
    lockSeq: { type: 'i32', doc: 'equal to the lockSeq of the mm while write-locked' },
    label: { type: 'u32', doc: 'number the creator gave it, for reports; copied on split and fork' },
    births: {
      type: 'u32',
      doc: 'how often the row has been a VMA: outlives it, so that an identity can be told from its next',
    },
  },
} as const;

/** Reverse-map roots (`anon_vma`). */
export const ANON_VMA_TABLE = {
  doc: 'Reverse-map roots of anonymous memory (anon_vma)',
  rows: 'anonVmas',
  pooled: true,
  columns: {
    root: { type: 'u32', doc: 'oldest ancestor: its lock protects the whole family' },
    parent: { type: 'u32', doc: 'anon_vma of the VMA that was forked' },
    refs: { type: 'i32', doc: 'its chains together count one; each descendant of a root, and each user of its lock' },
    children: { type: 'i32', doc: 'anon_vmas whose parent it is (num_children)' },
    active: { type: 'i32', doc: 'VMAs that use it as theirs (num_active_vmas)' },
    avcFirst: { type: 'u32', guard: 'anon_vma', doc: 'first chain: VMAs that may map its pages' },
    avcLast: { type: 'u32', guard: 'anon_vma', doc: 'last chain' },
    lock: { type: 'i32', cells: 4, doc: 'rw-semaphore of the family, used in the root' },
  },
} as const;

/** Links between VMAs and anon_vmas (`anon_vma_chain`). */
export const AVC_TABLE = {
  doc: 'Links between a VMA and an anon_vma (anon_vma_chain)',
  rows: 'anonVmaChains',
  pooled: true,
  columns: {
    vma: { type: 'u32', doc: 'the VMA' },
    anonVma: { type: 'u32', doc: 'the anon_vma' },
    vmaNext: { type: 'u32', doc: 'next chain of the VMA' },
    vmaPrev: { type: 'u32', doc: 'previous chain of the VMA' },
    anonNext: { type: 'u32', doc: 'next chain of the anon_vma' },
    anonPrev: { type: 'u32', doc: 'previous chain of the anon_vma' },
  },
} as const;

/**
 * Upper page-table levels, PMD directories among them. An entry of the PMD level is encoded as page-table.ts says; an
 * entry above it is the row of the next directory.
 */
export const DIRECTORY_TABLE = {
  doc: 'Page-table levels above the PTE tables',
  rows: 'directories',
  slots: 'ptesPerTable',
  pooled: true,
  columns: {
    mm: { type: 'u32', doc: 'owner' },
    level: { type: 'u8', doc: '1: entries are PMDs; higher: entries are directories' },
    lock: { type: 'i32', cells: 4, doc: 'PMD lock (pmd_lock) of a level-1 directory' },
    entry: { type: 'u32', per: 'slot', guard: 'pmd_lock', doc: 'PMD or directory entry' },
    deposit: { type: 'u32', per: 'slot', guard: 'pmd_lock', doc: 'PTE table kept for splitting a huge PMD' },
    used: { type: 'bit', per: 'slot', doc: '0: the PMD entry is none, and always was' },
  },
} as const;

/**
 * PTE tables (khugepaged spec 2.1): one row is one page table. Each property of an entry is a bit plane, so that a scan
 * is word arithmetic over the row. The last three planes mirror facts of the folio behind the entry (folio-mirror.ts).
 *
 * present, not zero: `pfn` is the frame (or NO_FRAME: no struct page behind it). present and zero: the shared zero page.
 * nonPresent: `pfn` is the encoded swap-type entry. Neither: none.
 */
export const PTE_TABLE = {
  doc: 'PTE tables, one row each',
  rows: 'pageTables',
  slots: 'ptesPerTable',
  pooled: true,
  columns: {
    mm: { type: 'u32', doc: 'owner' },
    block: { type: 'u32', doc: 'virtual page number of slot 0, divided by the slots of a table' },
    lock: { type: 'i32', cells: 4, doc: 'PTE lock (split page-table lock)' },
    pfn: { type: 'u32', per: 'slot', guard: 'pte_lock', doc: 'frame, or swap-type entry' },
    present: { type: 'bit', per: 'slot', guard: 'pte_lock', doc: 'maps a page' },
    zero: { type: 'bit', per: 'slot', guard: 'pte_lock', doc: 'maps the shared zero page' },
    nonPresent: { type: 'bit', per: 'slot', guard: 'pte_lock', doc: 'swap, migration, poison or marker entry' },
    uffdWp: { type: 'bit', per: 'slot', guard: 'pte_lock', doc: 'write-protected by userfaultfd, or such a marker' },
    write: { type: 'bit', per: 'slot', guard: 'pte_lock', doc: 'writable' },
    dirty: { type: 'bit', per: 'slot', doc: 'written through this entry' },
    young: { type: 'bit', per: 'slot', doc: 'accessed bit of this entry' },
    shared: { type: 'bit', per: 'slot', doc: 'mirror: more than one process may map the folio' },
    attention: { type: 'bit', per: 'slot', doc: 'mirror: anything that the scan must look at entry by entry' },
    referenced: { type: 'bit', per: 'slot', doc: 'mirror: the folio is flagged young or referenced' },
  },
} as const;

/**
 * Physical frames, one row per base page, the row being the frame number. The facts of a large folio that do not fit its
 * first frame lie in cells of its next three, which are not used otherwise (folio.ts names them), as in struct page.
 */
export const FRAME_TABLE = {
  doc: 'Physical page frames (struct page)',
  rows: 'frames',
  pooled: false,
  columns: {
    flags: { type: 'u32', doc: 'order in the low 4 bits, FOLIO_* and PAGE_* bits above' },
    refcount: { type: 'i32', doc: 'references on the folio (first frame)' },
    mapcount: { type: 'u16', doc: 'PTEs that map this very page' },
    stamp: { type: 'u32', doc: 'content: the number of the write that made it; 0 is all zeroes' },
    mapping: { type: 'u32', doc: 'anon_vma or file of the folio; next block on a free list' },
    index: { type: 'u32', doc: 'low 32 bits of the page offset within the mapping; previous block on a free list' },
    memcg: { type: 'u16', doc: 'memory cgroup that the folio is charged to (first frame), 0: none' },
  },
} as const;

/** Memory nodes. */
export const NODE_TABLE = {
  doc: 'Memory nodes with their buddy allocator',
  rows: 'nodes',
  pooled: false,
  columns: {
    firstPfn: { type: 'u32', doc: 'first frame' },
    endPfn: { type: 'u32', doc: 'one past the last frame' },
    freePages: { type: 'u32', doc: 'free base pages' },
    freeFirst: { type: 'u32', cells: 16, doc: 'first free block by order' },
    freeLast: { type: 'u32', cells: 16, doc: 'last free block by order' },
    freeCount: { type: 'u32', cells: 16, doc: 'free blocks by order' },
    compactDefer: { type: 'u32', cells: 4, doc: 'deferred compaction: considered, shift, failed order' },
    deferredFirst: { type: 'u32', doc: 'first folio on the deferred-split queue' },
    deferredLast: { type: 'u32', doc: 'last folio on the deferred-split queue' },
    deferredCount: { type: 'u32', doc: 'folios on the deferred-split queue' },
    reclaimCursor: { type: 'u32', doc: 'frame where reclaim looks next' },
    zoneWord: { type: 'i32', cells: 16, doc: 'word lock of the free lists (zone lock), in a cache line of its own' },
    deferredWord: { type: 'i32', cells: 16, doc: 'word lock of the deferred-split queue' },
  },
} as const;

/**
 * Slots of the swap device. Row 0 is the header, as on a device: `stamp` is the slot where the next search starts, `cache`
 * the number of slots in use. The table has no pool, because large folios need neighbouring slots (swap-slots.ts).
 */
export const SWAP_TABLE = {
  doc: 'Swap slots, one per swapped-out page; row 0 is the header',
  rows: 'swapSlots',
  pooled: false,
  columns: {
    count: { type: 'u16', doc: 'swap entries that refer to the slot' },
    stamp: { type: 'u32', doc: 'content of the page' },
    cache: { type: 'u32', doc: 'frame of the page in the swap cache, 0 if not there' },
    memcg: { type: 'u16', doc: 'memory cgroup that the page was charged to, 0: none' },
  },
} as const;

/** Memory cgroups; row 1 is the root (memcg.ts). */
export const MEMCG_TABLE = {
  doc: 'Memory cgroups; row 1 is the root',
  rows: 'memcgs',
  pooled: true,
  columns: { parent: { type: 'u32', doc: 'cgroup above it, 0 for the root' } },
} as const;

/** Files and shared-memory objects. */
export const FILE_TABLE = {
  doc: 'Files and shmem objects',
  rows: 'files',
  pooled: true,
  columns: {
    pages: { type: 'f64', doc: 'size, base pages' },
    shmem: { type: 'u8', doc: '1 for shmem' },
    pmdFolios: { type: 'u8', doc: '1 for a regular file whose page cache can hold folios of PMD order' },
    refs: { type: 'i32', doc: 'VMAs that map it' },
    minOrder: { type: 'u8', doc: 'smallest order of the folios of its page cache (mapping_min_folio_order)' },
    privateData: {
      type: 'u8',
      doc: '1: its folios have private data (buffers) that the file system cannot release now (filemap_release_folio)',
    },
    unlinked: {
      type: 'u8',
      doc: '1: has no name, so that its last mapping takes it along (MAP_SHARED, MAP_ANONYMOUS)',
    },
    cached: { type: 'u32', doc: 'pages in the page cache' },
    swapped: { type: 'u32', doc: 'shmem pages that the page cache has swap entries for' },
    writers: { type: 'i32', doc: 'i_writecount: who has it open for writing' },
    vmaFirst: { type: 'u32', doc: 'first VMA that maps it (i_mmap)' },
    vmaLast: { type: 'u32', doc: 'last VMA that maps it' },
    mapLock: { type: 'i32', cells: 4, doc: 'i_mmap_rwsem: who maps the file' },
    pagesLock: { type: 'i32', cells: 4, doc: 'lock of i_pages (xa_lock): which pages are in memory' },
  },
} as const;

/** Page cache: hash table from page of a file to frame (page-cache.ts). */
export const PAGE_CACHE_TABLE = {
  doc: 'Page cache, a hash table',
  rows: 'pageCache',
  pooled: false,
  columns: {
    file: { type: 'u32', doc: 'file, 0 for a free place' },
    index: { type: 'f64', doc: 'page of the file' },
    pfn: { type: 'u32', doc: 'frame of the page; or, with the top bit, the slot that it is swapped out to (shmem)' },
  },
} as const;

/** Processors: the batch of folios not yet on the LRU lists (folio_batch). */
export const CPU_TABLE = {
  doc: 'Per-processor batches of folios on their way to the LRU lists',
  rows: 'cpus',
  pooled: false,
  columns: {
    batchCount: { type: 'u32', doc: 'folios in the batch' },
    batch: { type: 'u32', cells: 32, doc: 'first frames of the folios' },
  },
} as const;

/** Tunables, one cell each, indexed as @thplab/sysfs-schema says. */
export const SETTING_TABLE = {
  doc: 'sysfs settings',
  rows: 'settings',
  pooled: false,
  columns: { value: { type: 'u32', doc: 'value, or index of the choice' } },
} as const;

/** Counters of /proc/vmstat. */
export const VMSTAT_TABLE = {
  doc: 'vmstat counters',
  rows: 'vmstats',
  pooled: false,
  columns: { value: { type: 'f64', doc: 'count' } },
} as const;

/** Per-order counters (hugepages-*kB/stats): order * number of counters + counter. */
export const MTHP_STAT_TABLE = {
  doc: 'per-order counters',
  rows: 'mthpStats',
  pooled: false,
  columns: { value: { type: 'f64', doc: 'count' } },
} as const;

/** Words that belong to the machine as a whole. */
export const MACHINE_TABLE = {
  doc: 'Machine-wide words',
  rows: 'one',
  pooled: false,
  columns: {
    nextStamp: { type: 'u32', doc: 'content stamp of the last write' },
    nextPid: { type: 'u32', doc: 'last process id given' },
    pageCachePages: { type: 'u32', doc: 'entries in the page cache' },
    warnings: { type: 'u32', doc: 'once-per-boot warnings given' },
    cowPages: { type: 'u32', doc: 'pages copied because a shared one was written to (no counter of the kernel)' },
    fileThp: { type: 'u32', doc: 'which regular files may have huge folios: FILE_THP (eligibility.ts)' },
    countersWord: {
      type: 'i32',
      cells: 16,
      doc: 'word lock: threads add their counters to the vmstat and per-order ones',
    },
    failWord: { type: 'i32', cells: 16, doc: 'word lock of the fault-injection rules' },
    shortages: {
      type: 'u32',
      doc: 'allocations that found no block free on the node they asked first (not in the kernel)',
    },
    failOrder: {
      type: 'i32',
      cells: 8,
      doc: 'fault injection: order plus 1 (0: rule not in use), -1: any order, -2: slab',
    },
    failNth: {
      type: 'i32',
      cells: 8,
      doc: 'fault injection: allocations of that order to let pass before the first failure',
    },
    failEvery: {
      type: 'i32',
      cells: 8,
      doc: 'fault injection: each how many allocations one fails, 0: all from the first on',
    },
    failCount: { type: 'i32', cells: 8, doc: 'fault injection: failures left, -1 without end' },
  },
} as const;

/** The tables' type, for `Arena<MmTables>`. */
export type MmTables = {
  readonly machine: typeof MACHINE_TABLE;
  readonly mm: typeof MM_TABLE;
  readonly vma: typeof VMA_TABLE;
  readonly anonVma: typeof ANON_VMA_TABLE;
  readonly avc: typeof AVC_TABLE;
  readonly directory: typeof DIRECTORY_TABLE;
  readonly pte: typeof PTE_TABLE;
  readonly frame: typeof FRAME_TABLE;
  readonly node: typeof NODE_TABLE;
  readonly swap: typeof SWAP_TABLE;
  readonly memcg: typeof MEMCG_TABLE;
  readonly file: typeof FILE_TABLE;
  readonly pageCache: typeof PAGE_CACHE_TABLE;
  readonly cpu: typeof CPU_TABLE;
  readonly setting: typeof SETTING_TABLE;
  readonly vmstat: typeof VMSTAT_TABLE;
  readonly mthpStat: typeof MTHP_STAT_TABLE;
};

/** All tables of the memory model. */
export const MM_TABLES: MmTables = {
  machine: MACHINE_TABLE,
  mm: MM_TABLE,
  vma: VMA_TABLE,
  anonVma: ANON_VMA_TABLE,
  avc: AVC_TABLE,
  directory: DIRECTORY_TABLE,
  pte: PTE_TABLE,
  frame: FRAME_TABLE,
  node: NODE_TABLE,
  swap: SWAP_TABLE,
  memcg: MEMCG_TABLE,
  file: FILE_TABLE,
  pageCache: PAGE_CACHE_TABLE,
  cpu: CPU_TABLE,
  setting: SETTING_TABLE,
  vmstat: VMSTAT_TABLE,
  mthpStat: MTHP_STAT_TABLE,
};
