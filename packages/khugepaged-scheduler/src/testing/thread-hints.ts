/** A process on a thread of its own that asks for its ranges while scanners drain, for worker threads. */
import { asBrand, Random } from '@thplab/arena';
import {
  handleMmFault,
  type Machine,
  type MmId,
  mmap,
  mmapReadLock,
  mmapReadUnlock,
  mmput,
  munmap,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { type Procedure, type ThreadProgram, wake } from '@thplab/sync';
import { HINT_ADD, khugepagedAddHint } from '../hints/index.js';
import type { Khugepaged } from '../khugepaged.js';
import { attachKhugepaged, type KhugepagedHandle } from '../pool/attach.js';
import { FIRST } from './pool-world.js';

const N = 512;

/** What the thread is given. */
export interface HintThreadData {
  readonly handle: KhugepagedHandle;
  readonly thread: number;
  readonly seed: number;
  /** Steps to make. */
  readonly count: number;
  readonly mm: MmId;
  readonly ranges: number;
  /** The process ends at the end. */
  readonly exits: boolean;
  /** Word 0: processes that still work. */
  readonly working: SharedArrayBuffer;
}

/** Hints, writes, and memory that is mapped anew under them. Gives how many hints were queued. */
export function hintThread(data: HintThreadData): ThreadProgram {
  const on = attachKhugepaged(data.handle, data.thread);
  return on.program(function* () {
    const random = new Random(data.seed);
    let queued = 0;
    for (let i = 0; i < data.count; i++) {
      const page = FIRST + random.below(data.ranges) * N;
      const kind = random.below(10);
      if (kind < 6) queued += yield* hint(on.k, data.mm, page, random.below(2));
      else if (kind < 9) yield* handleMmFault(on.m, data.mm, asBrand<Vpn>(page + random.below(N)), { write: true });
      else yield* mapAnew(on.m, data.mm, page);
    }
    if (data.exits) yield* mmput(on.m, data.mm);
    if (Atomics.sub(new Int32Array(data.working), 0, 1) === 1) {
      on.k.t.khugepaged.shouldStop[0] = 1;
      yield wake(on.k.passQueue);
    }
    return queued;
  }, data.mm);
}

function* hint(k: Khugepaged, mm: MmId, page: number, priority: number): Procedure<number> {
  yield* mmapReadLock(k.m, mm);
  const vma = vmaAt(k.m, mm, page);
  yield* mmapReadUnlock(k.m, mm);
  const outcome = yield* khugepagedAddHint(k, { mm, vma, page: asBrand<Vpn>(page), priority, maxOrder: 0 });
  return outcome === HINT_ADD.queued ? 1 : 0;
}

function* mapAnew(m: Machine, mm: MmId, page: number): Procedure<void> {
  yield* munmap(m, mm, asBrand<Vpn>(page), N);
  yield* mmap(m, mm, { at: asBrand<Vpn>(page), pages: N, fixed: 'replace' });
}
