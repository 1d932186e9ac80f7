/** How fast are whole collapses, and khugepaged over a large heap? */
import { asBrand } from '@thplab/arena';
import {
  createKhugepaged,
  KHUGEPAGED_TABLES,
  khugepagedEnter,
  khugepagedSizes,
  startStopKhugepaged,
} from '@thplab/khugepaged-scheduler';
import { VM, type Vpn } from '@thplab/mm-model';
import { createCollapseContext, madviseCollapse } from '@thplab/mthp-collapse';
import { acquire, READ, release, runToEnd, SequentialExecutor } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { machineOf, type TableShape } from '../machines.js';
import { median, timeOnce } from '../measure.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';

const START = asBrand<Vpn>(0x100000);

/** See the head of the file. */
export const collapseBench: BenchDefinition = {
  name: 'collapse',
  question: 'how many ranges per second are collapsed?',
  run({ quick }): BenchReport {
    const ranges = quick ? 256 : 2048;
    const shapes: TableShape[] = [
      { name: 'MADV_COLLAPSE, full tables', present: 1 },
      { name: 'MADV_COLLAPSE, 1 page of 16', present: 1 / 16 },
    ];
    const rows = shapes.map((shape) => row(shape.name, ranges, quick, () => madviseSeconds(ranges, shape)));
    rows.push(row('khugepaged, full tables', ranges, quick, () => khugepagedSeconds(ranges)));
    return { name: this.name, question: this.question, rows, demands: [] };
  },
};

function row(what: string, ranges: number, quick: boolean, seconds: () => number): BenchRow {
  const time = median(Array.from({ length: quick ? 3 : 5 }, seconds));
  return {
    what,
    figures: {
      ranges: { value: ranges / time, unit: 'range/s' },
      pages: { value: (ranges * 512) / time, unit: 'page/s' },
    },
  };
}

function madviseSeconds(ranges: number, shape: TableShape): number {
  const { m, mm } = machineOf(ranges, shape);
  const ctx = createCollapseContext({ machine: m });
  return timeOnce(() => {
    const lock = m.locks.mmapLock.ref(mm);
    const result = runToEnd(
      m.domain,
      (function* () {
        yield acquire(lock, READ);
        const errno = yield* madviseCollapse(ctx, mm, START, asBrand<Vpn>(START + ranges * m.ptes));
        yield release(lock, READ);
        return errno;
      })(),
    );
    if (result !== 0 || m.mm.anonThps[mm] !== ranges) throw new Error(`MADV_COLLAPSE gave ${result}`);
  });
}

function khugepagedSeconds(ranges: number): number {
  const extra = { extraTables: KHUGEPAGED_TABLES, extraSizes: khugepagedSizes() };
  const { m, mm, vma } = machineOf(ranges, { name: 'full', present: 1 }, extra);
  m.vma.flags[vma] |= VM.HUGEPAGE;
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.always;
  m.setting.value[settingIndex('khugepaged.scan_sleep_millisecs')] = 0;
  const executor = new SequentialExecutor(m.domain);
  m.current = executor.current;
  const k = createKhugepaged({
    machine: m,
    profile: 'merged',
    collapse: createCollapseContext({ machine: m }),
    startThread: (name, procedure, options) => executor.spawn(name, procedure, options),
  });
  executor.spawn('start', function* () {
    yield* khugepagedEnter(k, mm);
    yield* startStopKhugepaged(k);
  });
  return timeOnce(() => {
    while (k.t.khugepaged.fullScans[0] < 1) executor.run({ maxSteps: 500 });
    if (m.mm.anonThps[mm] !== ranges) throw new Error(`khugepaged collapsed ${m.mm.anonThps[mm]} of ${ranges} ranges`);
  });
}
