export { exactProfileOfRelease, kernelRelease, processorName, readOrEmpty } from './kernel.js';
export { type Koffi, Libc, type Piece } from './libc.js';
export { type Loaded, loadLibc } from './load.js';
export { CollapseBench, MeasureError, type TimedMemory, type TimedStep } from './measure/collapse-bench.js';
export { type Effort, median, timed, USUAL_EFFORT } from './measure/stopwatch.js';
export { MAP, MREMAP, PR, PROT, SIGKILL, UFFD } from './numbers.js';
