/** Carries out the steps of a case in the model: one function of mm-model per system call. */
import {
  createFile,
  dupMm,
  ERRNO,
  FAULT,
  type FileId,
  folioDrop,
  folioHead,
  gupFastGet,
  handleMmFault,
  MADV,
  type MmId,
  madvise,
  mlock,
  mmAlloc,
  mmap,
  mmput,
  mprotect,
  mremap,
  munlock,
  munmap,
  type Pfn,
  prctlSetThpDisable,
  userfaultfdRegister,
  userfaultfdUnregister,
  userfaultfdWriteProtect,
  VM,
  VMA_KIND,
  type Vpn,
} from '@thplab/mm-model';
import {
  BASE_PAGE,
  type MapKind,
  type Rights,
  type Span,
  type Step,
  type UffdModeName,
  WINDOW_PAGES,
} from '../case.js';
import type { ModelMachine } from './model-machine.js';
import { readContent } from './model-view.js';

const RIGHTS: Readonly<Record<Rights, number>> = {
  none: 0,
  r: VM.READ,
  // x86 cannot write without reading.
  w: VM.READ | VM.WRITE,
  rw: VM.READ | VM.WRITE,
  rx: VM.READ | VM.EXEC,
  rwx: VM.READ | VM.WRITE | VM.EXEC,
};

const MODES: Readonly<Record<UffdModeName, number>> = {
  missing: VM.UFFD_MISSING,
  wp: VM.UFFD_WP,
  'missing+wp': VM.UFFD_MISSING | VM.UFFD_WP,
  minor: VM.UFFD_MINOR,
};

const FILE_KINDS: ReadonlySet<MapKind> = new Set(['memfd', 'memfd-private', 'disk', 'disk-private']);

/** Raised for what the model has no function for; the case is then not comparable. */
export class NotModelledError extends Error {}

/** The process of a case and its children. */
export class ModelProcess {
  readonly machine: ModelMachine;
  /** Number of the write that made each content stamp. */
  readonly writes: Map<number, number> = new Map();
  private readonly mms: (MmId | 0)[];
  private readonly files = new Map<string, FileId>();
  private readonly pins: Pfn[] = [];
  private unpopulated = false;
  private written = 0;

  constructor(machine: ModelMachine) {
    this.machine = machine;
    this.mms = [mmAlloc(machine.m)];
  }

  /** Address spaces that are alive, the process first. */
  living(): MmId[] {
    return this.mms.filter((mm) => mm !== 0) as MmId[];
  }

  /** Frames with a reference by `pin`. */
  held(): readonly Pfn[] {
    return this.pins;
  }

  /** Carries out one step; gives what the system call gives. */
  step(step: Step): number {
    const populates =
      step.do === 'lock' || step.do === 'map' || (step.do === 'advise' && step.advice.startsWith('POP'));
    if (!populates) return this.perform(step);
    // To the model, populating is writing: each page gets a content of its own. To the kernel it holds what it held before.
    const span = { at: step.at, pages: step.pages };
    const before = this.contents(span);
    const result = this.perform(step);
    for (const [i, stamp] of this.contents(span).entries()) {
      if (stamp !== 0 && !this.writes.has(stamp)) this.writes.set(stamp, this.writes.get(before[i]) ?? 0);
    }
    return result;
  }

  private contents({ at, pages }: Span): number[] {
    const mm = this.mm(0);
    return Array.from({ length: pages }, (_, i) => readContent(this.machine.m, mm, BASE_PAGE + at + i));
  }

  private perform(step: Step): number {
    const { m, run } = this.machine;
    const mm = this.mm(0);
    switch (step.do) {
      case 'map':
        return this.map(step);
      case 'unmap':
        return run(munmap(m, mm, page(step.at), step.pages));
      case 'write':
        return this.touch(this.mm(step.who ?? 0), step.at, step.pages, true);
      case 'read':
        return this.touch(mm, step.at, step.pages, false);
      case 'advise':
        return notWaiting(run(madvise(m, this.mm(step.who ?? 0), page(step.at), step.pages, MADV[step.advice])), step);
      case 'protect':
        return run(mprotect(m, mm, page(step.at), step.pages, RIGHTS[step.rights]));
      case 'lock':
        return notWaiting(run(mlock(m, mm, page(step.at), step.pages)), step);
      case 'unlock':
        return run(munlock(m, mm, page(step.at), step.pages));
      case 'move':
        return Math.min(0, run(this.move(step)));
      case 'fork':
        return this.fork();
      case 'end':
        return this.end(step.child);
      case 'pin':
        return this.pin(step.at, step.pages);
      case 'unpin':
        return this.unpin();
      case 'uffd':
        this.unpopulated = step.unpopulated ?? false;
        return run(userfaultfdRegister(m, mm, page(step.at), step.pages, MODES[step.mode]));
      case 'uffdUnregister':
        return run(userfaultfdUnregister(m, mm, page(step.at), step.pages));
      case 'wp':
      case 'unwp':
        return run(this.writeProtect(step.at, step.pages, step.do === 'wp'));
      case 'uffdClose':
        run(userfaultfdUnregister(m, mm, page(0), WINDOW_PAGES));
        return 0;
      case 'thpDisable':
        return run(prctlSetThpDisable(m, mm, step.how !== 'off', step.how === 'except-advised' ? 2 : 0));
    }
  }

  private mm(who: number): MmId {
    const mm = this.mms[who];
    if (mm === undefined || mm === 0) throw new NotModelledError(`there is no child ${who}`);
    return mm;
  }

  private map(step: Extract<Step, { do: 'map' }>): number {
    const { m, run } = this.machine;
    const kind = step.kind ?? 'anon';
    const flags = step.flags ?? [];
    const shared = kind === 'shared' || kind === 'memfd' || kind === 'disk';
    const bits =
      RIGHTS[step.rights ?? 'rw'] |
      (shared ? VM.SHARED : 0) |
      (flags.includes('GROWSDOWN') ? VM.GROWSDOWN : 0) |
      (flags.includes('NORESERVE') ? VM.NORESERVE : 0);
    const vmaKind = kind === 'anon' ? VMA_KIND.anon : kind.startsWith('disk') ? VMA_KIND.file : VMA_KIND.shmem;
    const file = FILE_KINDS.has(kind) ? this.file(step, kind.startsWith('disk')) : undefined;
    const at = run(
      mmap(m, this.mm(0), {
        at: page(step.at),
        pages: step.pages,
        fixed: 'replace',
        flags: bits,
        kind: vmaKind,
        stack: flags.includes('STACK'),
        populate: flags.includes('POPULATE'),
        ...(file === undefined ? {} : { file, pgoff: step.pgoff ?? 0 }),
      }),
    );
    return Math.min(0, at);
  }

  private file(step: Extract<Step, { do: 'map' }>, disk: boolean): FileId {
    const name = step.file ?? 'file';
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const pages = step.filePages ?? (step.pgoff ?? 0) + step.pages;
    const file = createFile(this.machine.m, { pages, shmem: !disk });
    this.files.set(name, file);
    return file;
  }

  /** Number of pages touched before the first that could not be. */
  private touch(mm: MmId, at: number, pages: number, write: boolean): number {
    const { m, run } = this.machine;
    for (let i = 0; i < pages; i++) {
      const result = run(handleMmFault(m, mm, page(at + i), { write }));
      if (result !== FAULT.ok) return i === 0 ? -ERRNO.EFAULT : i;
      if (write) this.writes.set(readContent(m, mm, BASE_PAGE + at + i), ++this.written);
    }
    return pages;
  }

  private *move(step: Extract<Step, { do: 'move' }>): ReturnType<typeof mremap> {
    const options = { mayMove: true, to: page(step.to), dontUnmap: step.dontUnmap ?? false };
    return yield* mremap(this.machine.m, this.mm(0), page(step.at), step.pages, step.newPages ?? step.pages, options);
  }

  private fork(): number {
    this.mms.push(this.machine.run(dupMm(this.machine.m, this.mm(0))));
    return 0;
  }

  private end(child: number): number {
    this.machine.run(mmput(this.machine.m, this.mm(child)));
    this.mms[child] = 0;
    return 0;
  }

  /** One reference to each page, which is read in first if it is not there. */
  private pin(at: number, pages: number): number {
    const { m, run } = this.machine;
    for (let i = 0; i < pages; i++) {
      const result = run(handleMmFault(m, this.mm(0), page(at + i), { write: false }));
      if (result !== FAULT.ok) return i === 0 ? -ERRNO.EFAULT : i;
      const pfn = run(gupFastGet(m, this.mm(0), page(at + i)));
      if (pfn !== 0) this.pins.push(pfn);
    }
    return pages;
  }

  private unpin(): number {
    const { m } = this.machine;
    for (const pfn of this.pins.splice(0)) folioDrop(m, folioHead(m, pfn));
    return 0;
  }

  private writeProtect(at: number, pages: number, protect: boolean): ReturnType<typeof userfaultfdWriteProtect> {
    const options = { unpopulated: this.unpopulated };
    return userfaultfdWriteProtect(this.machine.m, this.mm(0), page(at), pages, protect, options);
  }
}

/**
 * Cases register with UFFD_FEATURE_SIGBUS: a fault fails at once. The model's userfaultfd has a handler that would be waited
 * for, and says so with EAGAIN.
 */
function notWaiting(result: number, step: Step): number {
  if (result !== -ERRNO.EAGAIN) return result;
  if (step.do === 'lock') return -ERRNO.ENOMEM;
  return step.do === 'advise' && step.advice.startsWith('POPULATE') ? -ERRNO.EFAULT : result;
}

function page(at: number): Vpn {
  return (BASE_PAGE + at) as Vpn;
}
