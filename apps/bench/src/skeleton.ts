/** The protocol of native/collapse.pml for our own search: the same locks, tasks and assertion, step by step. */
import {
  AccessLog,
  acquire,
  type ExploreCase,
  LOCK_WORDS,
  type Procedure,
  preempt,
  READ,
  release,
  SyncDomain,
} from '@thplab/sync';

/** The only shared cell: whether the PMD leads to the table. */
const PRESENT = 0;

/** How many of each beside one collapse. */
export interface SkeletonTasks {
  readonly faults: number;
  readonly walks: number;
}

/** A collapse below the PMD order against faults and walks of the reverse map. */
export function collapseSkeleton({ faults, walks }: SkeletonTasks): ExploreCase {
  const domain = new SyncDomain();
  const words = new Int32Array(3 * LOCK_WORDS);
  const mmapLock = domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: 0, words }).ref(0);
  const anonVma = domain.lockClass({ name: 'anon_vma', kind: 'rwsem', rank: 1, words, offset: LOCK_WORDS }).ref(0);
  const pmdLock = domain.lockClass({ name: 'pmd_lock', kind: 'spin', rank: 2, words, offset: 2 * LOCK_WORDS }).ref(0);
  const findings: string[] = [];
  const log = new AccessLog();
  let present = true;

  function* setPmd(to: boolean): Procedure<void> {
    yield acquire(pmdLock);
    log.write(PRESENT);
    present = to;
    yield release(pmdLock);
  }
  function* look(): Procedure<void> {
    yield acquire(pmdLock);
    log.read(PRESENT);
    if (!present) findings.push('the PMD is empty');
    yield release(pmdLock);
  }
  function* collapse(): Procedure<void> {
    yield acquire(mmapLock, READ);
    yield release(mmapLock, READ);
    yield acquire(mmapLock);
    yield acquire(anonVma);
    yield* setPmd(false);
    yield preempt();
    yield* setPmd(true);
    yield release(anonVma);
    yield release(mmapLock);
  }
  function* fault(): Procedure<void> {
    yield acquire(mmapLock, READ);
    yield* look();
    yield release(mmapLock, READ);
  }
  function* walk(): Procedure<void> {
    yield acquire(anonVma, READ);
    yield* look();
    yield release(anonVma, READ);
  }
  const many = (count: number, name: string, procedure: () => Procedure<void>): ExploreCase['actors'] =>
    Array.from({ length: count }, (_, i) => ({ name: `${name}${i}`, procedure }));
  return {
    name: 'skeleton of a collapse',
    domain,
    log,
    actors: [{ name: 'collapse', procedure: collapse }, ...many(faults, 'fault', fault), ...many(walks, 'walk', walk)],
    reset: () => {
      present = true;
      findings.length = 0;
    },
    check: () => findings,
  };
}
