export { Arena, type ArenaHandle, type CellArrays, type Tables, type TableView } from './arena.js';
export {
  clearBit,
  clearBitAtomic,
  clearBits,
  countBits,
  findBit,
  findLastBit,
  getBit,
  popcount32,
  rangeMask,
  setBit,
  setBitAtomic,
  setBits,
  wordsPerRow,
} from './bits.js';
export { asBrand, type Brand } from './brand.js';
export { ArenaError, LayoutMismatchError, TableFullError } from './errors.js';
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
export { RowPool } from './row-pool.js';
