/** Golden vectors of schemes and actions (see golden.ts): one table per rule, with its section in the DAMON spec. */

const U64_MAX = 2n ** 64n - 1n;

/** 3.6 feedback: last input, score, next input. */
export const FEEDBACK: readonly (readonly [last: bigint, score: bigint, next: bigint])[] = [
  [10_000n, 0n, 20_000n],
  [900_000n, 200n, 1_782_000n],
  [900_000n, 2_000n, 1_620_000n],
  [900_000n, 9_000n, 990_000n],
  [900_000n, 10_000n, 900_000n],
  [900_000n, 10_001n, 899_910n],
  [900_000n, 15_000n, 450_000n],
  [900_000n, 19_999n, 10_000n],
  [900_000n, 20_000n, 10_000n],
  [10_000n, 15_000n, 10_000n],
  [U64_MAX, 0n, U64_MAX],
];

/** 3.6: windows of a goal that is not met at all, from nothing until so many bytes fit. */
export const RAMP = [
  { bytes: 4_096, windows: 12 },
  { bytes: 2 ** 21, windows: 21 },
] as const;

/** 3.6: scores with 20 samples of 100 ms in an aggregation. */
export const SCORES = {
  samples: 20,
  rows: [
    { nr: 20, age: 0, frequency: 100, ageScore: 50, hot11: 74, cold11: 25, hot01: 49, hot10: 99 },
    { nr: 20, age: 100, frequency: 100, ageScore: 56, hot11: 77, cold11: 22, hot01: 55, hot10: 99 },
    { nr: 20, age: 36_000, frequency: 100, ageScore: 68, hot11: 83, cold11: 16, hot01: 67, hot10: 99 },
    { nr: 10, age: 0, frequency: 50, ageScore: 50, hot11: 49, cold11: 50, hot01: 49, hot10: 49 },
    { nr: 1, age: 600, frequency: 5, ageScore: 59, hot11: 31, cold11: 68, hot01: 58, hot10: 4 },
    { nr: 0, age: 0, frequency: 0, ageScore: 50, hot11: 24, cold11: 75, hot01: 49, hot10: 0 },
    { nr: 0, age: 10, frequency: 0, ageScore: 48, hot11: 23, cold11: 76, hot01: 47, hot10: 0 },
    { nr: 0, age: 100, frequency: 0, ageScore: 43, hot11: 20, cold11: 79, hot01: 42, hot10: 0 },
    { nr: 0, age: 600, frequency: 0, ageScore: 40, hot11: 19, cold11: 80, hot01: 39, hot10: 0 },
    { nr: 0, age: 36_000, frequency: 0, ageScore: 31, hot11: 14, cold11: 85, hot01: 30, hot10: 0 },
  ],
} as const;

/** 3.8: marks of 500, 400 and 200 permille; state before, free memory, state after. */
export const WATERMARKS = {
  marks: { high: 500, mid: 400, low: 200 },
  cases: [
    { active: true, value: 501, after: false },
    { active: true, value: 500, after: true },
    { active: false, value: 500, after: false },
    { active: false, value: 400, after: false },
    { active: false, value: 399, after: true },
    { active: false, value: 200, after: true },
    { active: true, value: 199, after: false },
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
