export {
  type BlockedTask,
  DeadlockError,
  LivelockError,
  OperationError,
  SyncError,
  WouldBlockError,
} from './errors.js';
export type {
  Current,
  Executor,
  ExecutorObserver,
  RunEnd,
  RunLimits,
  RunOutcome,
  Task,
  TaskFailure,
  TaskOptions,
} from './executor.js';
export * from './explore/index.js';
export { type HeldLock, HeldLocks } from './held-locks.js';
export { Histogram } from './histogram.js';
export {
  canTake,
  excludes,
  grants,
  MAX_READERS_WOKEN,
  stateAfterRelease,
  stateAfterTake,
  WRITE_HELD,
} from './lock-rules.js';
export { type ClassStatistics, LockStatistics, ModeStatistics } from './lock-statistics.js';
export { LockdepError, type LockdepRule, type LockdepTask } from './lockdep/errors.js';
export { Lockdep } from './lockdep/lockdep.js';
export { type UnderLockdepOptions, underLockdep } from './lockdep/under-lockdep.js';
export {
  BitLock,
  type BitLockWatcher,
  instanceOf,
  LOCK_OWNER,
  LOCK_STATE,
  LOCK_WAITERS,
  LOCK_WORDS,
  LOCK_WRITERS,
  LockClass,
  type LockClassDecl,
  type LockKind,
  SyncDomain,
} from './locks.js';
export {
  acquire,
  acquireNested,
  downgrade,
  isNested,
  type LockMode,
  type LockRef,
  lockOf,
  MAX_SPAN_NS,
  MIGHT_SLEEP,
  mightSleep,
  modeOf,
  now,
  OP,
  type Op,
  opcodeOf,
  type Procedure,
  payloadOf,
  preempt,
  queueOf,
  READ,
  release,
  sleep,
  spend,
  timeoutOf,
  tryAcquire,
  type WaitQueue,
  WRITE,
  wait,
  wake,
} from './operations.js';
export { type RunToEndOptions, runToEnd } from './run-to-end.js';
export type { ProcessorUse } from './sequential/cpu.js';
export { SequentialExecutor } from './sequential/executor.js';
export type { SequentialOptions } from './sequential/settings.js';
export { OPEN_GATE, type StepGate } from './step-gate.js';
export { LockTimeoutError, StoppedError, WorkerDiedError } from './threads/errors.js';
export { ThreadsExecutor, type ThreadsOptions, type WorkerPort } from './threads/executor.js';
export {
  type NamedProcedure,
  receiveError,
  type SentError,
  sendError,
  type ThreadProgram,
} from './threads/messages.js';
export {
  type RunOnThreadOptions,
  runOnMainThread,
  runOnThread,
  type ThreadPlace,
  type ThreadRun,
  threadGate,
} from './threads/run-on-thread.js';
export { type ServedPort, type ServeOptions, serveThread } from './threads/serve-thread.js';
export {
  createThreadsArena,
  THREADS_TABLES,
  type ThreadsLimits,
  type ThreadsTables,
  type ThreadsView,
  threadsSizes,
} from './threads/tables.js';
export { ThreadGate } from './threads/thread-gate.js';
export { stopRun, type ThreadReport, threadReport } from './threads/thread-state.js';
export { ThreadTask, type ThreadTaskOptions } from './threads/thread-task.js';
export { giveWord, takeWord } from './word-lock.js';
