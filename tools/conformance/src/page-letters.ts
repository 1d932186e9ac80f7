/** One letter a page: what its page table entry is, as far as both sides can tell. */

export const PAGE = {
  none: '.',
  /** The shared zero page. */
  zero: 'z',
  /** Anonymous, a folio of one page. */
  small: 'p',
  /** Anonymous, a page of a large folio that is mapped page by page. */
  part: 'l',
  /** Anonymous, in a range mapped by its PMD. */
  huge: 'T',
  /** In a range mapped to the huge zero page. */
  hugeZero: 'Z',
  /** Page cache or shmem: as the three above. */
  fileSmall: 'f',
  filePart: 'm',
  fileHuge: 'F',
  guard: 'g',
  /** Any other entry that is not present: poison and write-protection markers. */
  marker: 'x',
} as const;

/** After the letter, in this order, each if it applies. */
export const MARK = {
  /** Write-protected by userfaultfd. */
  wp: 'w',
  /** The folio is marked as locked in memory. */
  mlocked: 'k',
  /** The folio is lazily freed (anonymous and not swap-backed). */
  lazyfree: 'y',
} as const;

/** Runs of equal items: `.3 p2x4` style, such as `.100 p412`. */
export function runs(items: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < items.length; ) {
    let end = i + 1;
    while (end < items.length && items[end] === items[i]) end++;
    parts.push(`${items[i]}${end - i}`);
    i = end;
  }
  return parts.join(' ');
}

/** Runs of numbers that are equal (`0x512`) or ascend by one (`7+505`); -1 stands for a page that is not there. */
export function numberRuns(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i + 1;
    if (numbers[end] === numbers[i]) {
      while (end < numbers.length && numbers[end] === numbers[i]) end++;
      if (numbers[i] >= 0) parts.push(`${numbers[i]}x${end - i}`);
      else parts.push(`.${end - i}`);
    } else if (numbers[i] >= 0) {
      while (end < numbers.length && numbers[end] === numbers[i] + (end - i)) end++;
      parts.push(`${numbers[i]}+${end - i}`);
    } else parts.push('.1');
    i = end;
  }
  return parts.join(' ');
}

/** The items that `runs` made a text of. */
export function itemsOf(text: string): string[] {
  return text.split(' ').flatMap((part) => {
    const [, item = '', count = '0'] = /^(\D+)(\d+)$/.exec(part) ?? [];
    return Array<string>(Number(count)).fill(item);
  });
}
