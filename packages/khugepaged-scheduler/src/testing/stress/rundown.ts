/** The end of a run: everybody leaves, and every frame, slot and row must come back. */
import { checkMachine, folioPut, lruAddDrainAll, mmput, type Pfn, unpinPages } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { HUGEPAGES_ENABLED, settingIndex } from '@thplab/sysfs-schema';
import { khugepagedDoScan } from '../../index.js';
import { StressFailure } from './verify.js';
import type { World } from './world.js';

/** See the head of the file. */
export class Rundown {
  private readonly w: World;

  constructor(w: World) {
    this.w = w;
  }

  /** Errors: StressFailure with what is left over. */
  run(): void {
    const { w } = this;
    const { m, k } = w.rig;
    w.executor.spawn('end', () => this.everybodyLeaves());
    w.executor.run({ maxSteps: 1_000_000 });
    const left: string[] = [...checkMachine(m)];
    const count = (what: string, found: number, wanted: number): void => {
      if (found !== wanted) left.push(`${found} ${what} instead of ${wanted} after everybody has left`);
    };
    for (let node = 0; node < m.nodes; node++) {
      const frames = m.node.endPfn[node] - m.node.firstPfn[node] - (node === 0 ? 1 : 0);
      count(`free pages on node ${node}`, m.node.freePages[node], frames);
    }
    count('swap slots in use', m.swap.cache[0], 0);
    count('address spaces', m.mm.pool.live, 0);
    count('VMAs', m.vma.pool.live, 0);
    count('anon_vmas', m.anonVma.pool.live, 0);
    count('anon_vma_chains', m.avc.pool.live, 0);
    count('page tables', m.pte.pool.live, 0);
    count('directories', m.directory.pool.live, 0);
    count('shared objects', m.file.pool.live, 0);
    count('khugepaged slots', k.t.mmSlot.pool.live, 0);
    for (const { name, words } of m.domain.classes) {
      // The owner's number stays after a reader.
      if (words.some((word, i) => word !== 0 && i % 4 !== 1)) left.push(`a ${name} is held`);
    }
    if (left.length > 0) throw new StressFailure(left.slice(0, 12).join('\n'));
  }

  private *everybodyLeaves(): Procedure<void> {
    const { w } = this;
    const { m, k } = w.rig;
    for (const { mm } of w.expected.processes) yield* mmput(m, mm);
    unpinPages(
      m,
      w.expected.pins.map((pin) => pin.pfn as Pfn),
    );
    for (const pfn of w.hogged) folioPut(m, pfn);
    yield* lruAddDrainAll(m);
    // The slot that khugepaged stood at is its own to free, once it has work again.
    m.setting.value[settingIndex('hugepages.enabled', m.pmdOrder)] = HUGEPAGES_ENABLED.always;
    m.setting.value[settingIndex('khugepaged.pages_to_scan')] = 1_000_000;
    k.t.khugepaged.shouldStop[0] = 0;
    yield* khugepagedDoScan(k);
  }
}
