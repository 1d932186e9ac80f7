/** Timed events of a normalised scenario; see scenario.ts for the conventions. */
import type { PagePattern, Protection, SourceKey, SysfsWrite, ThpMode, UffdMode, VmaSpec } from './scenario.js';
import type { CounterExpectation, Expectations } from './scenario-expect.js';
import type { HintPriority } from './scenario-hints.js';

/** Part of one process's address space. `vma` null: `start` is an absolute address; else it is the byte offset in the VMA. */
export interface Span {
  readonly process: string;
  readonly vma: string | null;
  readonly start: number;
  readonly length: number;
}

export type MadviseAdvice =
  | 'hugepage'
  | 'nohugepage'
  | 'dontneed'
  | 'free'
  | 'cold'
  | 'pageout'
  | 'populate_read'
  | 'populate_write'
  | 'collapse'
  | 'guard_install'
  | 'guard_remove';

export type Errno =
  | 'ok'
  | 'EACCES'
  | 'EAGAIN'
  | 'EBUSY'
  | 'ECANCELED'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINTR'
  | 'EINVAL'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'EPERM'
  | 'ERANGE'
  | 'ESRCH';

export type EventAction =
  /** Touches the pages, one after the other; `over` > 0 spreads them evenly over that time. */
  | {
      readonly kind: 'fault';
      readonly span: Span;
      readonly pages: PagePattern;
      readonly write: boolean;
      readonly order: 'ascending' | 'descending' | 'random';
      readonly over: number;
    }
  /** Touches all the pages once per `every`, from the event's time on, for `duration` (null: until the run ends). */
  | {
      readonly kind: 'access';
      readonly span: Span;
      readonly pages: PagePattern;
      readonly write: boolean;
      readonly every: number;
      readonly duration: number | null;
    }
  /** `as` names the child; with count > 1, a repeat or a group as parent the children are `as.0`, `as.1`, ... in order of birth. */
  | {
      readonly kind: 'fork';
      readonly process: string;
      readonly as: string;
      readonly count: number;
      /** The child exits this long after its birth; null: it stays. */
      readonly lifetime: number | null;
    }
  | { readonly kind: 'exit'; readonly process: string }
  | { readonly kind: 'madvise'; readonly span: Span; readonly advice: MadviseAdvice }
  | { readonly kind: 'mmap'; readonly process: string; readonly vma: VmaSpec }
  | { readonly kind: 'munmap'; readonly span: Span }
  /** `to` null: the runner chooses where; `size` is the new size in bytes. */
  | { readonly kind: 'mremap'; readonly span: Span; readonly to: number | null; readonly size: number }
  | { readonly kind: 'mprotect'; readonly span: Span; readonly prot: Protection }
  | { readonly kind: 'mlock'; readonly span: Span }
  | { readonly kind: 'munlock'; readonly span: Span }
  /** GUP pin of the pages; `duration` null: until unpin or exit. */
  | { readonly kind: 'pin'; readonly span: Span; readonly pages: PagePattern; readonly duration: number | null }
  | { readonly kind: 'unpin'; readonly span: Span; readonly pages: PagePattern }
  /** Somebody holds the folio locks of the pages (for instance I/O). */
  | { readonly kind: 'lock'; readonly span: Span; readonly pages: PagePattern; readonly duration: number | null }
  | { readonly kind: 'unlock'; readonly span: Span; readonly pages: PagePattern }
  | { readonly kind: 'swapout'; readonly span: Span; readonly pages: PagePattern }
  | {
      readonly kind: 'uffd';
      readonly span: Span;
      readonly call: 'register' | 'unregister' | 'writeprotect' | 'unprotect' | 'poison';
      /** Only for register. */
      readonly modes: readonly UffdMode[];
    }
  | { readonly kind: 'prctl'; readonly process: string; readonly thp: ThpMode }
  | { readonly kind: 'sysfs'; readonly writes: readonly SysfsWrite[] }
  /** From now on allocations of `order` (null: of any order above 0) fail as `which` says. */
  | {
      readonly kind: 'failAllocation';
      readonly order: number | null;
      readonly which: /** Only the n-th from now (1 = the next). */
        | { readonly kind: 'nth'; readonly n: number }
        /** Each n-th from now. */
        | { readonly kind: 'every'; readonly n: number }
        /** The next n. */
        | { readonly kind: 'count'; readonly n: number };
    }
  /** Adds a hint for each PMD range of the pages; `maxOrder` null: the order of the largest mapping there. */
  | {
      readonly kind: 'hint';
      readonly span: Span;
      readonly pages: PagePattern;
      readonly priority: HintPriority;
      readonly maxOrder: number | null;
    }
  /** Checks expectations at this time instead of the end. */
  | { readonly kind: 'check'; readonly expect: Expectations };

export interface ScenarioEvent {
  readonly key: SourceKey;
  /** Nanoseconds since the start of the run. */
  readonly at: number;
  /** times null: until the run ends. `times` counts all executions, the first included. */
  readonly repeat: { readonly every: number; readonly times: number | null } | null;
  /** Simulated CPU the action runs on; null = the process's own. */
  readonly cpu: number | null;
  readonly action: EventAction;
  readonly expect: EventExpectation | null;
}

export interface EventExpectation {
  readonly errno: Errno | null;
  /** Change of each counter between the start and the end of the action. */
  readonly counters: readonly CounterExpectation[];
}
