export { kernelRelease, processorName, profileOfRelease, readOrEmpty } from './kernel.js';
export { type Koffi, Libc, type Piece } from './libc.js';
export { type Loaded, loadLibc } from './load.js';
export { MAP, MREMAP, PR, PROT, SIGKILL, UFFD } from './numbers.js';
