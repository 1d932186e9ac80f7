/**
 * Counts of times in log-linear buckets: exact below 32, sixteen buckets per power of two above, so that a quantile is
 * at most 1/16 too high; the maximum is exact. About 6 KiB once something was recorded.
 */
const SUB = 16;
const SUB_BITS = 4;
const MAX_EXPONENT = 53;
const BUCKETS = SUB + (MAX_EXPONENT - SUB_BITS) * SUB;
const HIGH = 2 ** 32;

export class Histogram {
  count = 0;
  total = 0;
  max = 0;
  private buckets: Float64Array | undefined = undefined;

  /** Adds a value of 0 or more; `times` values at once if given. */
  record(value: number, times = 1): void {
    if (times === 0) return;
    this.buckets ??= new Float64Array(BUCKETS);
    const at = bucketOf(value);
    this.buckets[at] = (this.buckets[at] as number) + times;
    this.count += times;
    this.total += value * times;
    if (value > this.max) this.max = value;
  }

  /**
   * The least bucket limit that a share `q` of all values (0 to 1) does not exceed; the exact maximum for 1, and 0 if
   * nothing was recorded. `zeros` more values of 0 are counted as if they had been recorded.
   */
  quantile(q: number, zeros = 0): number {
    const rank = Math.ceil(Math.min(1, Math.max(0, q)) * (this.count + zeros));
    let seen = zeros;
    if (rank <= seen || this.buckets === undefined) return 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += this.buckets[at] as number;
      if (seen >= rank) return Math.min(this.max, bucketLimit(at));
    }
    return this.max;
  }

  /** Adds everything another one has recorded. */
  merge(other: Histogram): void {
    if (other.buckets === undefined) return;
    this.buckets ??= new Float64Array(BUCKETS);
    for (let at = 0; at < BUCKETS; at++) {
      this.buckets[at] = (this.buckets[at] as number) + (other.buckets[at] as number);
    }
    this.count += other.count;
    this.total += other.total;
    this.max = Math.max(this.max, other.max);
  }
}

function bucketOf(value: number): number {
  const whole = Math.floor(value);
  if (whole < SUB) return Math.max(0, whole);
  const exponent =
    whole < HIGH
      ? 31 - Math.clz32(whole)
      : Math.min(MAX_EXPONENT - 1, 63 - Math.clz32(Math.min(HIGH - 1, Math.floor(whole / HIGH))));
  const sub = Math.min(SUB - 1, Math.floor(whole / 2 ** (exponent - SUB_BITS)) - SUB);
  return SUB + (exponent - SUB_BITS) * SUB + sub;
}

/** The largest whole value of a bucket. */
function bucketLimit(at: number): number {
  if (at < SUB) return at;
  const step = at - SUB;
  const exponent = SUB_BITS + Math.floor(step / SUB);
  return (SUB + (step % SUB) + 1) * 2 ** (exponent - SUB_BITS) - 1;
}
