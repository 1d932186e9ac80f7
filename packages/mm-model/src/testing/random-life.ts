/** Random operations on a small machine, each with what it may change; every redundancy and all page contents are checked. */
import { asBrand, Random } from '@thplab/arena';
import { HUGEPAGES_ENABLED, settingIndex, THP_DEFRAG } from '@thplab/sysfs-schema';
import type { MmId, Pfn, Vpn } from '../brands.js';
import { checkMachine } from '../check.js';
import { tryToCompact } from '../compaction.js';
import { deferredSplitScan } from '../deferred-split.js';
import { handleMmFault } from '../fault.js';
import { FOLIO, PAGE, VM, VMA_KIND } from '../flags.js';
import { folioHas, folioHead, folioOrder } from '../folio.js';
import { folioDrop, folioTrylock, folioUnlock } from '../folio-hold.js';
import { folioGet } from '../folio-lifetime.js';
import { updateMirrors } from '../folio-mirror.js';
import { dupMm } from '../fork.js';
import { gupFastGet, pinPages, unpinPages } from '../gup.js';
import { lruAddDrainAll } from '../lru.js';
import type { Machine } from '../machine.js';
import { type Advice, MADV } from '../madvise/advice.js';
import { madvise } from '../madvise.js';
import { memcgCreate, mmSetMemcg, ROOT_MEMCG } from '../memcg.js';
import { mlock, munlock } from '../mlock.js';
import { mmput } from '../mm.js';
import { mprotect } from '../mprotect.js';
import { mremap } from '../mremap.js';
import { munmap } from '../munmap.js';
import { shrinkNode } from '../reclaim.js';
import { splitFolioToOrder } from '../split.js';
import { swapOutFolio } from '../swap-out.js';
import {
  checkTlb,
  createTlb,
  TLB_ACCESS,
  TLB_TABLES,
  type Tlb,
  type TlbSpec,
  tlbAccess,
  tlbSizes,
} from '../tlb/index.js';
import { userfaultfdRegister, userfaultfdUnregister, userfaultfdWriteProtect } from '../userfaultfd.js';
import { type PageContents, pageKey, readAllPages } from './page-contents.js';
import { makeWorld, mapAt, type World } from './world.js';

const SPACE = { first: 64, pages: 128 };
const ADVICE: readonly Advice[] = [
  MADV.DONTNEED,
  MADV.FREE,
  MADV.COLD,
  MADV.PAGEOUT,
  MADV.HUGEPAGE,
  MADV.NOHUGEPAGE,
  MADV.POPULATE_READ,
  MADV.POPULATE_WRITE,
  MADV.GUARD_INSTALL,
  MADV.GUARD_REMOVE,
];

/** So small that entries come and go, so large that some outlive what happens to their pages. */
const SMALL_TLB: TlbSpec = {
  name: 'small',
  levels: [
    [{ entries: 4, sizes: [4096, 16_384, 32_768, 65_536] }],
    [{ entries: 32, ways: 4, sizes: [4096, 16_384, 32_768, 65_536], replacement: 'random' }],
  ],
  contiguous: [16_384],
  contiguousNeedsFolio: false,
  cycles: { secondLevelHit: 1, walkHuge: 1, walkBase: 1 },
  gigahertz: 1,
};

type MayChange = (mm: number, page: number) => boolean;

/** One random life of a small machine: 8 or 16 PTEs a table, every order enabled, less memory than the processes want. */
export class RandomLife {
  readonly w: World;
  readonly tlb: Tlb;
  readonly mms: MmId[];
  readonly held: Pfn[] = [];
  readonly pins: Pfn[] = [];
  readonly log: string[] = [];
  readonly #random: Random;
  #before: PageContents = { stamps: new Map(), lazyfree: new Set() };

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.w = makeWorld({
      thp: 'always',
      geometry: { pageShift: 12, pmdOrder: 3 + this.below(2) },
      nodePages: [[384], [192], [96], [96, 64]][this.below(4)],
      swapPages: [96, 32, 0][this.below(3)],
      limits: { mms: 8, vmas: 1024, pageTables: 512, directories: 512, files: 64, pageCache: 1024 },
      extraTables: TLB_TABLES,
      extraSizes: tlbSizes(SMALL_TLB, 2),
    });
    this.tlb = createTlb(this.w.m, SMALL_TLB, seed);
    const { m } = this.w;
    for (let order = 2; order <= m.pmdOrder; order++) {
      m.setting.value[settingIndex('hugepages.enabled', order)] = HUGEPAGES_ENABLED.always;
    }
    m.setting.value[settingIndex('khugepaged.max_ptes_none')] = 4;
    m.setting.value[settingIndex('defrag')] = THP_DEFRAG.always;
    this.mms = [this.w.mm];
    for (let i = 0; i < 2; i++) memcgCreate(m, ROOT_MEMCG);
    mapAt(this.w, SPACE.first, SPACE.pages);
  }

  get m(): Machine {
    return this.w.m;
  }

  below(n: number): number {
    return this.#random.below(n);
  }

  /** One operation; gives what the checks found. */
  step(): readonly string[] {
    this.#before = readAllPages(this.m);
    const charged = this.charges();
    let copies = false;
    const operations = [
      () => this.touch(),
      () => this.touch(),
      () => this.touch(),
      () => {
        copies = true;
        return this.fork();
      },
      () => this.exit(),
      () => this.regroup(),
      () => this.map(),
      () => this.advise(),
      () => this.advise(),
      () => this.move(),
      () => this.protect(),
      () => this.armUserfaultfd(),
      () => this.lock(),
      () => {
        copies = true;
        return this.pin();
      },
      () => this.release(),
      () => this.split(),
      () => this.pressure(),
    ];
    const changed = operations[this.below(operations.length)]();
    return [
      ...checkTlb(this.tlb),
      ...checkMachine(this.m, { held: this.held, pins: this.pins, limit: 10 }),
      ...this.contents(changed ?? (() => false)),
      ...(copies ? [] : this.moved(charged)),
    ];
  }

  /** Which cgroups content is charged to, by its stamp: in memory, or in swap where it is not in memory. */
  charges(): Map<number, Set<number>> {
    const { frame, swap } = this.m;
    const found = new Map<number, Set<number>>();
    const add = (stamp: number, memcg: number): void => {
      if (stamp !== 0) found.set(stamp, (found.get(stamp) ?? new Set()).add(memcg));
    };
    for (let pfn = 1; pfn < frame.capacity; pfn++) {
      if ((frame.flags[pfn] & PAGE.ALLOCATED) !== 0) add(frame.stamp[pfn], frame.memcg[folioHead(this.m, pfn)]);
    }
    for (let slot = 1; slot < swap.capacity; slot++) {
      if (swap.count[slot] !== 0 && swap.cache[slot] === 0) add(swap.stamp[slot], swap.memcg[slot]);
    }
    return found;
  }

  /** Content that is charged to a cgroup that it was not charged to before. Copies, which two have, are charged anew. */
  moved(before: Map<number, Set<number>>): string[] {
    const found: string[] = [];
    for (const [stamp, memcgs] of this.charges()) {
      const was = before.get(stamp);
      for (const memcg of memcgs)
        if (was?.has(memcg) === false) found.push(`content ${stamp} is charged to ${memcg} now`);
    }
    return found;
  }

  regroup(): undefined {
    const mm = this.someMm();
    mmSetMemcg(this.m, mm, asBrand(1 + this.below(3)));
    this.log.push(`mm ${mm} in cgroup ${this.m.mm.memcg[mm]}`);
  }

  /** Pages that the operation had no business with read as before, or as zeroes if they were given up. */
  contents(mayChange: MayChange): string[] {
    const found: string[] = [];
    const after = readAllPages(this.m).stamps;
    const before = this.#before.stamps;
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const [mm, page] = key.split(':').map(Number);
      const [was, is] = [before.get(key) ?? 0, after.get(key) ?? 0];
      if (was === is || mayChange(mm, page) || !this.m.mm.pool.isLive(mm)) continue;
      if (is !== 0 || !this.#before.lazyfree.has(key))
        found.push(`mm ${mm}, page ${page}: read ${was} before, ${is} now`);
    }
    return found;
  }

  someMm(): MmId {
    return this.mms[this.below(this.mms.length)];
  }

  someRange(): { start: Vpn; pages: number; within: (page: number) => boolean } {
    const start = SPACE.first + this.below(SPACE.pages);
    const pages = 1 + this.below(this.below(2) === 0 ? 4 : 40);
    return { start: asBrand(start), pages, within: (page) => page >= start && page < start + pages };
  }

  touch(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const write = this.below(3) > 0;
    this.log.push(`touch mm ${mm} [${start}, +${pages}) ${write ? 'write' : 'read'}`);
    for (let page: number = start; page < start + pages; page++) {
      // What a processor remembers serves it, whatever the page table says now.
      const access = tlbAccess(this.tlb, this.below(2), mm, asBrand<Vpn>(page), write);
      if (access === TLB_ACCESS.fault) this.w.run(handleMmFault(this.m, mm, asBrand<Vpn>(page), { write }));
    }
    return (other, page) => write && other === mm && within(page);
  }

  fork(): MayChange | undefined {
    if (this.mms.length >= 4) return undefined;
    const parent = this.someMm();
    const child = this.w.run(dupMm(this.m, parent));
    this.log.push(`fork mm ${parent} -> ${child}`);
    // No memory for the copy of a pinned page.
    if (child === 0) return undefined;
    // Without memory for the copy of a pinned page there is no child.
    if (child === 0) return undefined;
    this.mms.push(child);
    const after = readAllPages(this.m).stamps;
    for (const [key, stamp] of this.#before.stamps) {
      const [mm, page] = key.split(':').map(Number);
      if (mm !== parent) continue;
      const read = after.get(pageKey(child, page)) ?? 0;
      const dropped = read === 0 && this.#before.lazyfree.has(key);
      if (read !== stamp && !dropped) throw new Error(`the child reads ${read} at page ${page}, not ${stamp}`);
    }
    return (mm) => mm === child;
  }

  exit(): undefined {
    if (this.mms.length < 2) return;
    const [mm] = this.mms.splice(this.below(this.mms.length), 1);
    this.log.push(`exit mm ${mm}`);
    this.w.run(mmput(this.m, mm));
  }

  map(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const unmap = this.below(3) === 0;
    this.log.push(`${unmap ? 'munmap' : 'mmap'} mm ${mm} [${start}, +${pages})`);
    if (unmap) this.w.run(munmap(this.m, mm, start, pages));
    else mapAt({ ...this.w, mm }, start, pages, this.below(5) === 0 ? { kind: VMA_KIND.shmem } : {});
    return (other, page) => other === mm && within(page);
  }

  advise(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const advice = ADVICE[this.below(ADVICE.length)];
    this.log.push(`madvise mm ${mm} [${start}, +${pages}) ${advice}`);
    this.w.run(madvise(this.m, mm, start, pages, advice));
    // MADV_FREE forgets swapped-out pages at once, others when memory is short.
    const loses = [MADV.DONTNEED, MADV.FREE, MADV.GUARD_INSTALL, MADV.POPULATE_WRITE].some((a) => a === advice);
    return (other, page) => loses && other === mm && within(page);
  }

  move(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const to = SPACE.first + this.below(SPACE.pages);
    this.log.push(`mremap mm ${mm} [${start}, +${pages}) -> ${to}`);
    this.w.run(mremap(this.m, mm, start, pages, pages, { mayMove: true, to: asBrand(to) }));
    return (other, page) => other === mm && (within(page) || (page >= to && page < to + pages));
  }

  protect(): undefined {
    const mm = this.someMm();
    const { start, pages } = this.someRange();
    const access = [VM.READ, VM.READ | VM.WRITE, VM.READ | VM.WRITE, 0][this.below(4)];
    this.log.push(`mprotect mm ${mm} [${start}, +${pages}) ${access}`);
    this.w.run(mprotect(this.m, mm, start, pages, access));
  }

  armUserfaultfd(): undefined {
    const mm = this.someMm();
    const { start, pages } = this.someRange();
    const kind = this.below(4);
    this.log.push(`userfaultfd ${kind} mm ${mm} [${start}, +${pages})`);
    if (kind === 0)
      this.w.run(
        userfaultfdRegister(this.m, mm, start, pages, this.below(2) === 0 ? VM.UFFD_WP : VM.UFFD_WP | VM.UFFD_MISSING),
      );
    else if (kind === 1) this.w.run(userfaultfdUnregister(this.m, mm, start, pages));
    else this.w.run(userfaultfdWriteProtect(this.m, mm, start, pages, kind === 2));
  }

  lock(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const lock = this.below(3) === 0;
    this.log.push(`${lock ? 'mlock' : 'munlock'} mm ${mm} [${start}, +${pages})`);
    this.w.run(lock ? mlock(this.m, mm, start, pages) : munlock(this.m, mm, start, pages));
    return (other, page) => lock && other === mm && within(page);
  }

  pin(): MayChange {
    const mm = this.someMm();
    const { start, pages, within } = this.someRange();
    const write = this.below(2) === 0;
    const fast = this.below(3) === 0;
    this.log.push(`${fast ? 'gup fast' : `pin ${write}`} mm ${mm} [${start}, +${Math.min(4, pages)})`);
    if (fast) {
      const pfn = this.w.run(gupFastGet(this.m, mm, start));
      if (pfn !== 0) this.held.push(pfn);
      return () => false;
    }
    const got = this.w.run(pinPages(this.m, mm, start, Math.min(4, pages), { write, longterm: this.below(2) === 0 }));
    this.pins.push(...got.frames);
    return (other, page) => write && other === mm && within(page);
  }

  release(): undefined {
    if (this.pins.length > 0) unpinPages(this.m, this.pins.splice(this.below(this.pins.length), 3));
    if (this.held.length > 0) for (const pfn of this.held.splice(0, 2)) folioDrop(this.m, folioHead(this.m, pfn));
    this.log.push('release');
  }

  split(): undefined {
    const head = this.someFolio((pfn) => folioOrder(this.m, pfn) > 0);
    if (head === 0 || !folioTrylock(this.m, head)) return;
    const order = this.below(folioOrder(this.m, head));
    folioGet(this.m, head);
    updateMirrors(this.m, head);
    const result = this.w.run(splitFolioToOrder(this.m, head, order));
    this.log.push(`split ${head} to ${order}: ${result}`);
    folioUnlock(this.m, head);
    folioDrop(this.m, head);
  }

  pressure(): undefined {
    const kind = this.below(6);
    const node = this.below(this.m.nodes);
    this.log.push(`pressure ${kind}`);
    if (kind === 0) this.w.run(shrinkNode(this.m, node, 1 + this.below(40)));
    if (kind === 1) this.w.run(deferredSplitScan(this.m, node, 4));
    if (kind === 2) this.w.run(tryToCompact(this.m, node, 2 + this.below(5)));
    if (kind === 3) this.w.run(lruAddDrainAll(this.m));
    if (kind >= 4) {
      const head = this.someFolio((pfn) => folioHas(this.m, pfn, FOLIO.ANON));
      if (head !== 0) this.w.run(swapOutFolio(this.m, head));
    }
  }

  someFolio(wanted: (head: Pfn) => boolean): Pfn | 0 {
    const heads: Pfn[] = [];
    for (let pfn = 1; pfn < this.m.frame.capacity; pfn++) {
      const head = folioHead(this.m, pfn);
      if (head === pfn && (this.m.frame.flags[pfn] & PAGE.ALLOCATED) !== 0 && wanted(head)) heads.push(head);
    }
    return heads.length === 0 ? 0 : heads[this.below(heads.length)];
  }

  /** Everybody leaves; nothing may be left behind. */
  end(): readonly string[] {
    unpinPages(this.m, this.pins.splice(0));
    for (const pfn of this.held.splice(0)) folioDrop(this.m, folioHead(this.m, pfn));
    for (const mm of this.mms.splice(0)) this.w.run(mmput(this.m, mm));
    this.w.run(lruAddDrainAll(this.m));
    // The page cache outlives those who mapped it, and frame 0 is the zero page.
    const owned = this.m.frame.capacity - 1 - this.m.machine.pageCachePages[0];
    const free = this.m.node.freePages.reduce((sum, pages) => sum + pages, 0);
    return [
      ...checkMachine(this.m),
      ...(free === owned ? [] : [`${free} frames are free of ${owned}`]),
      ...(this.m.swap.cache[0] === 0 ? [] : [`${this.m.swap.cache[0]} swap slots are still in use`]),
    ];
  }
}
