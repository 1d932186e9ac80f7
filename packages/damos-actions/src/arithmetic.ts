/**
 * Whole-number arithmetic as the kernel does it: divisions cut off, products are exact. Addresses and sizes are bytes below
 * 2^53 and are plain numbers; a product that could pass 2^53 goes through BigInt.
 */

/** Highest value of the kernel's `unsigned long` and `u64`. */
export const U64_MAX: bigint = 2n ** 64n - 1n;
/** Highest value of the kernel's `unsigned int`. */
export const U32_MAX: number = 2 ** 32 - 1;
/** Basis points of one whole. */
export const BASIS_POINTS = 10_000;

/** a / b, cut off. Exact for whole numbers from 0 to 2^53. */
export function divide(a: number, b: number): number {
  return Math.floor(a / b);
}

/** a * b / c, cut off, without loss in the product. */
export function multiplyDivide(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}

/** Mean of two whole numbers, weighted by sizes, cut off. */
export function weightedMean(a: number, weightA: number, b: number, weightB: number): number {
  const sum = a * weightA + b * weightB;
  if (sum <= Number.MAX_SAFE_INTEGER) return Math.floor(sum / (weightA + weightB));
  const exact = BigInt(a) * BigInt(weightA) + BigInt(b) * BigInt(weightB);
  return Number(exact / BigInt(weightA + weightB));
}

/** The multiple of `step` at or below `value`. */
export function alignDown(value: number, step: number): number {
  return value - (value % step);
}

/** The multiple of `step` at or above `value`. */
export function alignUp(value: number, step: number): number {
  return alignDown(value + step - 1, step);
}
