/** Golden vectors of schemes and actions (see golden.ts): one table per rule, with its section in the DAMON spec. */

const U64_MAX = 2n ** 64n - 1n;

/** 3.6 feedback: last input, score, next input. */
export const FEEDBACK = [
  { row: '3.6 feedback (10000,0)', last: 10_000n, score: 0n, next: 20_000n },
  { row: '3.6 feedback (900000,200)', last: 900_000n, score: 200n, next: 1_782_000n },
  { row: '3.6 feedback (900000,2000)', last: 900_000n, score: 2_000n, next: 1_620_000n },
  { row: '3.6 feedback (900000,9000)', last: 900_000n, score: 9_000n, next: 990_000n },
  { row: '3.6 feedback (900000,10000)', last: 900_000n, score: 10_000n, next: 900_000n },
  { row: '3.6 feedback (900000,10001)', last: 900_000n, score: 10_001n, next: 899_910n },
  { row: '3.6 feedback (900000,15000)', last: 900_000n, score: 15_000n, next: 450_000n },
  { row: '3.6 feedback (900000,19999)', last: 900_000n, score: 19_999n, next: 10_000n },
  { row: '3.6 feedback (900000,20000)', last: 900_000n, score: 20_000n, next: 10_000n },
  { row: '3.6 feedback (10000,15000)', last: 10_000n, score: 15_000n, next: 10_000n },
  { row: '3.6 feedback (2^64-1,0)', last: U64_MAX, score: 0n, next: U64_MAX },
  // Where last times difference passes 64 bits, last is divided first.
  {
    row: '3.6 feedback, product overflows',
    last: 4_000_000_000_000_009_999n,
    score: 5_000n,
    next: 4_000_000_000_000_009_999n + 400_000_000_000_000n * 5_000n,
  },
] as const;

/** 11.1 feedback: what the kernel's own test asks of it. */
export const FEEDBACK_ORDER = [
  { row: '11.1 feedback below the goal', last: 900_000n, score: 200n, is: 'above', than: 'last' },
  { row: '11.1 feedback, very large score', last: 900_000n, score: 1_000_000_000_000n, is: 'below', than: 'last' },
  { row: '11.1 feedback f(200) > f(2000)', last: 900_000n, score: 200n, is: 'above', than: 2_000n },
] as const;

/** 3.6: windows of a goal that is not met at all, from nothing until so many bytes fit. */
export const RAMP = [
  { row: '3.6 ramp to 4 KiB', bytes: 4_096, windows: 12 },
  { row: '3.6 ramp to 2 MiB', bytes: 2 ** 21, windows: 21 },
] as const;

/** 3.6: scores with 20 samples of 100 ms in an aggregation. */
export const SCORES = {
  samples: 20,
  rows: [
    {
      row: '3.6 score of 20/20, age 0',
      nr: 20,
      age: 0,
      frequency: 100,
      ageScore: 50,
      hot11: 74,
      cold11: 25,
      hot01: 49,
      hot10: 99,
    },
    {
      row: '3.6 score of 20/20, age 100',
      nr: 20,
      age: 100,
      frequency: 100,
      ageScore: 56,
      hot11: 77,
      cold11: 22,
      hot01: 55,
      hot10: 99,
    },
    {
      row: '3.6 score of 20/20, age 36000',
      nr: 20,
      age: 36_000,
      frequency: 100,
      ageScore: 68,
      hot11: 83,
      cold11: 16,
      hot01: 67,
      hot10: 99,
    },
    {
      row: '3.6 score of 10/20, age 0',
      nr: 10,
      age: 0,
      frequency: 50,
      ageScore: 50,
      hot11: 49,
      cold11: 50,
      hot01: 49,
      hot10: 49,
    },
    {
      row: '3.6 score of 1/20, age 600',
      nr: 1,
      age: 600,
      frequency: 5,
      ageScore: 59,
      hot11: 31,
      cold11: 68,
      hot01: 58,
      hot10: 4,
    },
    {
      row: '3.6 score of 0/20, age 0',
      nr: 0,
      age: 0,
      frequency: 0,
      ageScore: 50,
      hot11: 24,
      cold11: 75,
      hot01: 49,
      hot10: 0,
    },
    {
      row: '3.6 score of 0/20, age 10',
      nr: 0,
      age: 10,
      frequency: 0,
      ageScore: 48,
      hot11: 23,
      cold11: 76,
      hot01: 47,
      hot10: 0,
    },
    {
      row: '3.6 score of 0/20, age 100',
      nr: 0,
      age: 100,
      frequency: 0,
      ageScore: 43,
      hot11: 20,
      cold11: 79,
      hot01: 42,
      hot10: 0,
    },
    {
      row: '3.6 score of 0/20, age 600',
      nr: 0,
      age: 600,
      frequency: 0,
      ageScore: 40,
      hot11: 19,
      cold11: 80,
      hot01: 39,
      hot10: 0,
    },
    {
      row: '3.6 score of 0/20, age 36000',
      nr: 0,
      age: 36_000,
      frequency: 0,
      ageScore: 31,
      hot11: 14,
      cold11: 85,
      hot01: 30,
      hot10: 0,
    },
  ],
} as const;

/** 3.6: without weights there is no order. */
export const NO_WEIGHTS = { row: '3.6 all weights 0', hot: 0, cold: 99 } as const;

/** 3.6: bits of the age in seconds count up to 32; ages in aggregations of 100 ms. */
export const AGE_SCORES = [
  { row: '3.6 age of 32 bits', age: 10 * 2 ** 32, frequency: 5, score: 100 },
  { row: '3.6 age of 32 bits', age: 10 * 2 ** 31, frequency: 5, score: 100 },
  { row: '3.6 age of 32 bits', age: 10 * (2 ** 31 - 1), frequency: 5, score: 98 },
  { row: '3.6 age of 32 bits', age: 10 * 2 ** 32, frequency: 0, score: 0 },
] as const;

/** 3.2, 3.6: the scores that actions go by, of a region with 20 of 20 samples and age 0, weights 1 and 1. */
export const ACTION_SCORES = [
  { row: '3.6 coldness', operations: 'vaddr', action: 'pageout', score: 25 },
  { row: '3.6 coldness', operations: 'paddr', action: 'pageout', score: 25 },
  { row: '3.6 coldness', operations: 'paddr', action: 'lru_deprio', score: 25 },
  { row: '3.6 coldness', operations: 'vaddr', action: 'migrate_cold', score: 25 },
  { row: '3.6 hotness', operations: 'paddr', action: 'lru_prio', score: 74 },
  { row: '3.6 hotness', operations: 'vaddr', action: 'migrate_hot', score: 74 },
  { row: '3.6 constant', operations: 'vaddr', action: 'collapse', score: 99 },
  { row: '3.6 constant', operations: 'vaddr', action: 'split', score: 99 },
  { row: '3.6 constant', operations: 'vaddr', action: 'hugepage', score: 99 },
  { row: '3.6 constant', operations: 'vaddr', action: 'lru_prio', score: 99 },
  { row: '3.6 constant', operations: 'paddr', action: 'stat', score: 99 },
] as const;

/** 3.8: marks of 500, 400 and 200 permille; state before, free memory, state after. */
export const WATERMARKS = {
  marks: { high: 500, mid: 400, low: 200 },
  cases: [
    { row: '3.8 watermarks', active: true, value: 501, after: false },
    { row: '3.8 watermarks', active: true, value: 500, after: true },
    { row: '3.8 watermarks', active: false, value: 500, after: false },
    { row: '3.8 watermarks', active: false, value: 400, after: false },
    { row: '3.8 watermarks', active: false, value: 399, after: true },
    { row: '3.8 watermarks', active: false, value: 200, after: true },
    { row: '3.8 watermarks', active: true, value: 199, after: false },
  ],
} as const;

/** 3.2: the node of page 0, 1, 2, ... by weighted destinations: index modulo the sum of the weights. */
export const MIGRATION_SHARES = [
  { dests: [{ nid: 0, weight: 1 }], nodes: [0, 0, 0] },
  {
    dests: [
      { nid: 0, weight: 1 },
      { nid: 1, weight: 3 },
    ],
    nodes: [0, 1, 1, 1, 0, 1, 1, 1],
  },
  {
    dests: [
      { nid: 1, weight: 2 },
      { nid: 0, weight: 0 },
      { nid: 2, weight: 1 },
    ],
    nodes: [1, 1, 2, 1, 1, 2],
  },
] as const;
