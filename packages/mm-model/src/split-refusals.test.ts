// The table of what a split refuses (DAMON spec 4.5), for anonymous memory, files and shared memory.

import { acquire, type Procedure, release, SequentialExecutor, spend } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import type { FileId, Pfn, Vpn } from './brands.js';
import { ERRNO, errnoName } from './errno.js';
import { handleMmFault } from './fault.js';
import { injectAllocationFailure, injectSlabFailure } from './fault-injection.js';
import { FOLIO, VM, VMA_KIND } from './flags.js';
import { clearFrameFlags, folioHead, folioOrder, setFrameFlags } from './folio.js';
import { folioDrop, folioTrylock, folioUnlock } from './folio-hold.js';
import { folioGet } from './folio-lifetime.js';
import { folioPin, folioUnpin } from './folio-pins.js';
import { folioIsolateLru, folioPutbackLru, lruAddDrainAll } from './lru.js';
import { pageCacheLookup } from './page-cache.js';
import { truncatePages } from './page-cache-contents.js';
import { PTE_WRITE } from './page-table.js';
import { placeFilePages, placeHugeCachedPages } from './populate-files.js';
import { splitFolioToOrder } from './split.js';
import { mthpStat, vmstat } from './testing/counters.js';
import { expectSound, split, tableOf, vmaOf } from './testing/folios.js';
import { frameOf } from './testing/pages.js';
import {
  SPLIT_BEYOND_END,
  SPLIT_BUGS,
  SPLIT_CHECK_ORDER,
  SPLIT_EFFECTS,
  SPLIT_PERMITTED,
  SPLIT_RACE,
  SPLIT_REFUSALS,
  SPLIT_TREE_NODES,
  type SplitObstacle,
  type SplitRefusal,
} from './testing/split-refusals.js';
import { makeWorld, mapAt, touch, type World } from './testing/world.js';
import { createFile, type FileFacts } from './vma/files.js';
import { zapRange } from './zap.js';

const AT = 512;

interface Huge {
  readonly w: World;
  readonly head: Pfn;
  readonly file: FileId;
}

/** A process that has one huge folio of the memory mapped at AT. */
function withHuge(memory: SplitRefusal['memory'], facts: Partial<FileFacts> = {}): Huge {
  const w = makeWorld();
  if (memory === 'anon') {
    mapAt(w, AT, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, AT, AT + 512);
    w.run(lruAddDrainAll(w.m));
    return { w, head: folioHead(w.m, frameOf(w, AT)), file: 0 as FileId };
  }
  const file = createFile(w.m, { pages: 512, shmem: memory === 'shmem', pmdFolios: true, ...facts });
  placeHugeCachedPages(w.m, file, 0);
  const flags = VM.READ | VM.WRITE | VM.SHARED;
  mapAt(w, AT, 512, { kind: memory === 'shmem' ? VMA_KIND.shmem : VMA_KIND.file, file, flags });
  w.run(handleMmFault(w.m, w.mm, AT as Vpn, { write: false }));
  return { w, head: pageCacheLookup(w.m, file, 0) as Pfn, file };
}

/** Puts an obstacle in the way; gives what takes it away again. */
function obstruct({ w, head, file }: Huge, obstacle: SplitObstacle | undefined): () => void {
  const { m } = w;
  const flagged = (flag: number): (() => void) => {
    setFrameFlags(m, head, flag);
    return () => clearFrameFlags(m, head, flag);
  };
  const held = (): (() => void) => {
    folioGet(m, head);
    return () => folioDrop(m, head);
  };
  switch (obstacle) {
    case undefined:
      return () => {};
    case 'swap cache':
      return flagged(FOLIO.SWAPCACHE);
    case 'writeback':
      return flagged(FOLIO.WRITEBACK);
    case 'unmapped': {
      const letGo = held();
      w.run(zapRange(m, vmaOf(w, AT), AT as Vpn, (AT + 512) as Vpn));
      return letGo;
    }
    case 'truncated': {
      const letGo = held();
      w.run(zapRange(m, vmaOf(w, AT), AT as Vpn, (AT + 512) as Vpn));
      truncatePages(m, file);
      return letGo;
    }
    case 'minimum order 4':
      m.file.minOrder[file] = 4;
      return () => {
        m.file.minOrder[file] = 0;
      };
    case 'private data':
      m.file.privateData[file] = 1;
      return () => {
        m.file.privateData[file] = 0;
      };
    case 'no tree node':
      injectSlabFailure(m, { nth: 1 });
      return () => m.machine.failCount.fill(0);
    case 'reference':
      return held();
    case 'pin':
      folioPin(m, head);
      return () => folioUnpin(m, head);
    case 'isolated':
      expect(folioIsolateLru(m, head)).toBe(true);
      return () => folioPutbackLru(m, head);
  }
}

describe('split_folio_to_order (DAMON spec 4.5)', () => {
  it.each(SPLIT_REFUSALS)('$row: $memory, $obstacle, to order $newOrder: $errno', (row) => {
    const huge = withHuge(row.memory);
    const { w, head } = huge;
    const remove = obstruct(huge, row.obstacle);
    expect(errnoName(split(w, head, row.newOrder))).toBe(row.errno);
    expect([vmstat(w, 'thp_split_page_failed'), mthpStat(w, 9, 'split_failed')]).toEqual([row.failed, row.failed]);
    expect([folioOrder(w.m, head), vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_split_page')]).toEqual([9, 0, 0]);
    remove();
    expectSound(w);
  });

  it.each(SPLIT_REFUSALS.filter(({ obstacle }) => obstacle !== undefined && !/unmapped|truncated/.test(obstacle)))(
    '$memory, to order $newOrder, after $obstacle: splits',
    (row) => {
      const huge = withHuge(row.memory);
      obstruct(huge, row.obstacle)();
      expect(split(huge.w, huge.head, row.newOrder)).toBe(0);
      expect(folioOrder(huge.w.m, huge.head)).toBe(row.newOrder);
      expectSound(huge.w);
    },
  );

  it.each(SPLIT_PERMITTED)('$row: $memory, $obstacle, to order $newOrder: splits', (row) => {
    const huge = withHuge(row.memory);
    const remove = obstruct(huge, row.obstacle);
    expect(split(huge.w, huge.head, row.newOrder)).toBe(0);
    expect([folioOrder(huge.w.m, huge.head), vmstat(huge.w, 'thp_split_page')]).toEqual([row.newOrder, 1]);
    remove();
    expectSound(huge.w);
  });

  it('asks in the order of the table', () => {
    const huge = withHuge('file');
    const removals = SPLIT_CHECK_ORDER.map(({ obstacle }) => obstruct(huge, obstacle));
    SPLIT_CHECK_ORDER.forEach(({ errno }, i) => {
      expect(errnoName(split(huge.w, huge.head, 0))).toBe(errno);
      removals[i]?.();
    });
    expect(split(huge.w, huge.head, 0)).toBe(0);
    expectSound(huge.w);
  });

  it.each(SPLIT_BUGS)('$row: of order $order, locked $locked, is a bug of the caller', ({ order, locked, says }) => {
    const w = makeWorld();
    mapAt(w, AT, 512, { flags: VM.READ | VM.WRITE | (order === 9 ? VM.HUGEPAGE : 0) });
    touch(w, w.mm, AT, AT + 1);
    const head = folioHead(w.m, frameOf(w, AT));
    expect(folioOrder(w.m, head)).toBe(order);
    if (locked) folioTrylock(w.m, head);
    expect(() => w.run(splitFolioToOrder(w.m, head, 0))).toThrow(says);
  });

  it('keeps the smallest order and the private data that a file is made with', () => {
    const { w, head } = withHuge('file', { minOrder: 2 });
    expect([split(w, head, 0), split(w, head, 2)]).toEqual([-ERRNO.EINVAL, 0]);
    expectSound(w);
    const busy = withHuge('file', { privateData: true });
    expect(split(busy.w, busy.head, 0)).toBe(-ERRNO.EBUSY);
  });

  it.each(SPLIT_TREE_NODES)('takes $nodes nodes of the tree to order $newOrder', ({ newOrder, nodes }) => {
    const result = (nth: number): number => {
      const { w, head } = withHuge('file');
      injectSlabFailure(w.m, { nth });
      return split(w, head, newOrder);
    };
    if (nodes > 0) expect(result(nodes)).toBe(-ERRNO.ENOMEM);
    expect(result(nodes + 1)).toBe(0);
  });

  it('needs no page: rules for pages of any order leave its nodes alone', () => {
    const { w, head } = withHuge('file');
    injectAllocationFailure(w.m, { nth: 1 });
    expect(split(w, head, 0)).toBe(0);
  });

  it('a reference that comes after the check, before the count is frozen: EAGAIN', () => {
    const { w, head } = withHuge('anon');
    expect(split(w, head, 2)).toBe(0);
    const executor = new SequentialExecutor(w.m.domain, { cpus: 2 });
    w.m.current = executor.current;
    const lock = w.m.locks.pteLock.ref(tableOf(w, AT));
    executor.spawn('holder', function* (): Procedure<void> {
      yield acquire(lock);
      yield spend(10_000);
      folioGet(w.m, head);
      yield release(lock);
    });
    executor.spawn('splitter', () => lockAndSplit(w, head), { startNs: 1_000 });
    expect(executor.run().end).toBe('idle');
    const { errno, failed } = SPLIT_RACE;
    expect([executor.tasks[1].result, mthpStat(w, 2, 'split_failed')]).toEqual([-ERRNO[errno], failed]);
    expect(folioOrder(w.m, head)).toBe(2);
    folioDrop(w.m, head);
    expectSound(w);
  });
});

describe('after a split of a huge page', () => {
  it.each(SPLIT_EFFECTS)('$row: $mapped mapped, $written written, to order $newOrder', (row) => {
    const w = makeWorld();
    mapAt(w, AT, 512, { flags: VM.READ | VM.WRITE | VM.HUGEPAGE });
    touch(w, w.mm, AT, AT + row.written);
    const head = folioHead(w.m, frameOf(w, AT));
    expect([folioOrder(w.m, head), mthpStat(w, 9, 'nr_anon')]).toEqual([9, 1]);
    w.run(zapRange(w.m, vmaOf(w, AT), (AT + row.mapped) as Vpn, (AT + 512) as Vpn));
    const free = w.m.node.freePages[0];
    expect(split(w, head, row.newOrder)).toBe(0);
    for (let order = 2; order <= 9; order++) {
      expect([order, mthpStat(w, order, 'nr_anon')]).toEqual([order, order === row.newOrder ? row.folios : 0]);
    }
    expect(w.m.node.freePages[0] - free).toBe(row.freed);
    expect(w.m.mm.rssAnon[w.mm]).toBe(row.rss);
    expect([vmstat(w, 'thp_split_pmd'), vmstat(w, 'thp_split_page')]).toEqual([row.pmdSplits, 1]);
    expect([mthpStat(w, 9, 'split'), mthpStat(w, 9, 'split_failed')]).toEqual([1, 0]);
    // Nothing waits for a later split any more, and nothing is partially mapped that could be.
    expect(w.m.node.deferredCount[0]).toBe(0);
    expect(mthpStat(w, 9, 'nr_anon_partially_mapped')).toBe(0);
    expectSound(w);
  });
});

describe('after a split of a huge folio of a file', () => {
  it.each(SPLIT_BEYOND_END)('$row: $memory of $filePages pages by $by, to order $newOrder, keeps $cached', (row) => {
    const { w, head, file } = withHuge(row.memory);
    if (row.by === 'ptes') {
      w.run(zapRange(w.m, vmaOf(w, AT), AT as Vpn, (AT + 512) as Vpn));
      placeFilePages(w.m, vmaOf(w, AT), AT as Vpn, 512, PTE_WRITE);
    }
    // The file got shorter since; what is beyond its end is still there.
    w.m.file.pages[file] = row.filePages;
    const free = w.m.node.freePages[0];
    const rss = row.memory === 'shmem' ? w.m.mm.rssShmem : w.m.mm.rssFile;
    expect([w.m.file.cached[file], rss[w.mm]]).toEqual([512, 512]);
    expect(split(w, head, row.newOrder)).toBe(0);
    expect([w.m.file.cached[file], rss[w.mm]]).toEqual([row.cached, row.rss]);
    expect(w.m.node.freePages[0] - free).toBe(row.freed);
    expectSound(w);
  });
});

function* lockAndSplit(w: World, head: Pfn): Procedure<number> {
  folioTrylock(w.m, head);
  folioGet(w.m, head);
  const result = yield* splitFolioToOrder(w.m, head, 0);
  folioUnlock(w.m, head);
  folioDrop(w.m, head);
  return result;
}
