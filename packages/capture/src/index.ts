export {
  type CaptureOptions,
  type CaptureResult,
  captureProcess,
} from './capture.js';
export { CaptureError, type CaptureErrorCode, SnapshotError, type SnapshotErrorCode } from './errors.js';
export {
  isPresentKind,
  MAPCOUNT_MAX,
  NO_FRAME,
  ORDER_UNKNOWN,
  PageFlag,
  PageKind,
  type PageKindCode,
} from './page-kind.js';
export type { CapturePhase, CaptureProgress } from './progress.js';
export { type ReadSnapshotOptions, readSnapshot } from './read-snapshot.js';
export { type MapsEntry, parseSmaps, SMAPS_FIELDS, type SmapsField } from './smaps.js';
export {
  DEFAULT_MAX_PAGES,
  type FreeBlocks,
  pagesOfVma,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type SnapshotKernel,
  type SnapshotPages,
  type SnapshotProcess,
  type SnapshotVma,
  type StatusField,
  UNEXPOSED_FACTS,
  type UnexposedFact,
  type VmaKind,
} from './snapshot.js';
export { checkTotals, type TotalsCheck, type TotalsField, type TotalsRow } from './totals.js';
export type { NameDetail } from './vma-kind.js';
export { writeSnapshot } from './write-snapshot.js';
