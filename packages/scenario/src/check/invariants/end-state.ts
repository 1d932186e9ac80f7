/**
 * What must hold when all actors are done. Many schedules end in the same state of the arena, and looking at one costs far
 * more than running a schedule: so the bytes are hashed, and a state that was found sound is not looked at again.
 */
import { checkHints, type Khugepaged } from '@thplab/khugepaged-scheduler';
import { checkMachine, MMF } from '@thplab/mm-model';
import { contentOf } from '../machine/content-book.js';
import type { Stage } from '../stage.js';
import type { Invariant } from './invariant.js';

/** Remembered at most, so that a long search does not fill memory. */
const MOST_STATES = 1 << 20;

export class EndState {
  private readonly stage: Stage;
  private readonly wanted: ReadonlySet<Invariant>;
  private readonly words: Int32Array;
  private readonly sound: Set<number> = new Set();

  constructor(stage: Stage, wanted: ReadonlySet<Invariant>) {
    this.stage = stage;
    this.wanted = wanted;
    this.words = new Int32Array(stage.raw.arena.buffer);
  }

  /** What is wrong, in words. */
  check(): readonly string[] {
    const { stage, wanted } = this;
    const found = wanted.has('I1') ? stage.book.check() : [];
    if (wanted.has('I6')) found.push(...this.filledHoles());
    if (wanted.has('slots')) found.push(...this.lostProcesses());
    if (wanted.has('warnings') && stage.raw.machine.warnings[0] !== 0) {
      found.push('warnings: the kernel warns of max_ptes_none although every value written was 0 or the highest');
    }
    if (found.length === 0 && (wanted.has('I2') || wanted.has('I4') || wanted.has('I5'))) found.push(...this.oracle());
    return found;
  }

  private oracle(): readonly string[] {
    const state = this.hash();
    if (this.sound.has(state)) return [];
    const { raw, k, held } = this.stage;
    const kept = { pins: held.pinned(), locked: held.locked(), held: held.locked() };
    const found = checkMachine(raw, { limit: 4, ...kept }).map((line) => `I2, I4, I5: ${line}`);
    found.push(...checkHints({ ...k, m: raw, t: raw.arena.tables as unknown as Khugepaged['t'] }));
    if (found.length === 0 && this.sound.size < MOST_STATES) this.sound.add(state);
    return found;
  }

  private filledHoles(): string[] {
    const { raw, holes } = this.stage;
    return holes
      .filter(({ mm, page }) => contentOf(raw, mm, page) !== -1)
      .map(({ mm, page }) => `I6: page ${page} of mm ${mm} was empty when userfaultfd was registered, and is filled`);
  }

  private lostProcesses(): string[] {
    const { raw, k, processes } = this.stage;
    return [...processes.values()]
      .filter(({ mm }) => raw.mm.users[mm] > 0 && (raw.mm.flags[mm] & MMF.VM_HUGEPAGE) !== 0)
      .filter(({ mm }) => k.t.mmSlotIndex.slot[mm] === 0)
      .map(({ name }) => `slots: ${name} is marked as registered, but khugepaged will never scan it`);
  }

  /** 53 bits of the arena's bytes. */
  private hash(): number {
    let a = 0x811c9dc5 | 0;
    let b = 0x1b873593;
    const { words } = this;
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as number;
      if (word === 0) continue;
      a = Math.imul(a ^ word ^ at, 0x01000193);
      // Without the `| 0` the sum may leave 32 bits, and the compiler gives the loop up.
      b = Math.imul(b ^ ((word + Math.imul(at, 0x9e3779b1)) | 0), 0x85ebca6b) ^ (b >>> 13);
    }
    return (a >>> 0) * 2 ** 21 + (b >>> 11);
  }
}
