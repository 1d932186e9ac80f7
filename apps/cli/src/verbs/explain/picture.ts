/** One page table as a picture: a letter per entry, 64 to a row, and what the letters mean. */
import type { Palette } from '../../output/palette.js';

/** What an entry is, as far as a picture tells. */
export type SlotKind = 'none' | 'page' | 'zero' | 'swap' | 'other';

export interface Slot {
  readonly kind: SlotKind;
  /** Order of the folio of a page. */
  readonly order: number;
}

const PER_ROW = 64;
const GROUP = 16;
const LETTERS: Readonly<Record<Exclude<SlotKind, 'page'>, readonly [letter: string, meaning: string]>> = {
  none: ['.', 'empty'],
  zero: ['z', 'zero page'],
  swap: ['s', 'swapped out'],
  other: ['!', 'migration, poison, guard or device entry'],
};

/** The letter of an entry: a single page is `0`, a page of a larger folio its order (`4`: 64K of 4K pages), from 10 on A, B, ... */
export function slotLetter({ kind, order }: Slot): string {
  return kind === 'page' ? order.toString(36).toUpperCase() : LETTERS[kind][0];
}

/** The rows, each with the number of its first entry, and the legend of the letters that occur. */
export function tablePicture(slots: readonly Slot[], sizeOf: (order: number) => string, colors: Palette): string {
  const width = String(slots.length).length;
  const lines: string[] = [];
  for (let first = 0; first < slots.length; first += PER_ROW) {
    const groups: string[] = [];
    for (let from = first; from < Math.min(first + PER_ROW, slots.length); from += GROUP) {
      const part = slots.slice(from, Math.min(from + GROUP, slots.length));
      groups.push(part.map((slot) => coloured(slot, colors)).join(''));
    }
    lines.push(`  ${colors.faint(String(first).padStart(width))}  ${groups.join(' ')}\n`);
  }
  return `${lines.join('')}\n${legend(slots, sizeOf, colors)}`;
}

function coloured(slot: Slot, colors: Palette): string {
  const letter = slotLetter(slot);
  if (slot.kind === 'page') return slot.order > 0 ? colors.good(letter) : letter;
  return slot.kind === 'none' ? colors.faint(letter) : colors.notable(letter);
}

function legend(slots: readonly Slot[], sizeOf: (order: number) => string, colors: Palette): string {
  const counts = new Map<string, { count: number; meaning: string }>();
  for (const slot of slots) {
    const letter = slotLetter(slot);
    const known = counts.get(letter);
    if (known !== undefined) known.count++;
    else counts.set(letter, { count: 1, meaning: meaningOf(slot, sizeOf) });
  }
  const entries = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return entries
    .map(([letter, { count, meaning }]) => `  ${letter}  ${meaning}${colors.faint(`, ${count}`)}\n`)
    .join('');
}

function meaningOf({ kind, order }: Slot, sizeOf: (order: number) => string): string {
  if (kind !== 'page') return LETTERS[kind][1];
  return order === 0 ? `single page of ${sizeOf(0)}` : `page of a ${sizeOf(order)} folio`;
}
