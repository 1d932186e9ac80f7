export { Arena, type ArenaHandle, type CellArrays, type Tables, type TableView } from './arena.js';
export {
  clearBit,
  clearBitAtomic,
  clearBits,
  countBits,
  findBit,
  findLastBit,
  getBit,
  planeStart,
  popcount32,
  rangeMask,
  setBit,
  setBitAtomic,
  setBits,
  wordsPerRow,
} from './bits.js';
export { asBrand, type Brand } from './brand.js';
export {
  type ColumnDescription,
  describeLayout,
  type LayoutDescription,
  layoutMarkdown,
  type TableDescription,
} from './describe.js';
export { ArenaError, ArenaFileError, LayoutMismatchError, TableFullError } from './errors.js';
export { ARENA_FILE_BYTES_MAX, type ArenaFileLimits, deserialiseArena, serialiseArena } from './file.js';
export { ARENA_FILE_VERSION, type ArenaFileHeader, type Extent, readArenaFileHeader } from './file-header.js';
export {
  type ArenaPlan,
  type CellType,
  type ColumnDecl,
  type ColumnPlan,
  LAYOUT_VERSION,
  planArena,
  type Sizes,
  type TableDecl,
  type TableDecls,
  type TablePlan,
} from './layout.js';
export { IntrusiveList, type ListColumns } from './list.js';
export { Random } from './random.js';
export { RowPool } from './row-pool.js';
