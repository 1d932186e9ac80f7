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
export {
  type CandidateOptions,
  type CandidateRange,
  type Candidates,
  MAX_FILTERS,
  selectCandidates,
} from './samples/candidates.js';
export { ImportError } from './samples/errors.js';
export { damoArguments, type SchemeForRanges, sysfsLines } from './samples/filter-lines.js';
export {
  accessedDistribution,
  blockPicture,
  expectedSeen,
  type HotBlock,
  type HotRule,
  hotBlocks,
  leastHot,
  samplesToJudge,
} from './samples/hot-blocks.js';
export { PageHeat } from './samples/page-heat.js';
export {
  chooseEvent,
  type EventSamples,
  eventName,
  type MeasuredBlock,
  PerfSampleReader,
  type PerfSamples,
  type PerfScriptOptions,
  readPerfSamples,
} from './samples/perf-script.js';
export { hugeBlocks, indexFrames, type PlacedSamples, placeSamples } from './samples/place-samples.js';
export { blocksOfSmaps, hugeBlocksCounted } from './samples/smaps-blocks.js';
export { type MapsEntry, parseSmaps, SMAPS_FIELDS, type SmapsField, SmapsReader } from './smaps.js';
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
