import { alignDown, alignUp } from '../arithmetic.js';

/** Starts of the aligned blocks that a range touches: the range aligned outwards (DAMON spec 4.3). */
export function blocksTouched(start: number, end: number, blockSize: number): number[] {
  const blocks: number[] = [];
  const last = alignUp(end, blockSize);
  for (let at = alignDown(start, blockSize); at < last; at += blockSize) blocks.push(at);
  return blocks;
}
