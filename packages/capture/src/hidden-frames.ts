// Second step of a capture without the privilege to see frames: what can still be concluded.
import type { GatheredVma, VmaHead } from './gather.js';
import type { PageColumns } from './page-columns.js';
import { isPresentKind, ORDER_UNKNOWN, PageFlag, PageKind } from './page-kind.js';

/**
 * Completes the columns when the kernel hides frame numbers: no frame, order unknown. Zero pages look like shared
 * anonymous pages then, but smaps leaves them out of Rss: where the surplus of present pages over Rss equals the pages that
 * are not exclusively mapped, all of those are zero pages.
 */
export function concludeWithoutFrames(
  columns: PageColumns,
  heads: readonly VmaHead[],
  gathered: readonly GatheredVma[],
  pageSize: number,
): void {
  columns.forgetFrames();
  heads.forEach((head, index) => {
    const { firstRow, rowCount } = gathered[index];
    const end = firstRow + rowCount;
    let present = 0;
    let notExclusive = 0;
    for (let row = firstRow; row < end; row++) {
      if (!isPresentKind(columns.kind[row])) continue;
      columns.order[row] = ORDER_UNKNOWN;
      present++;
      if (couldBeZero(columns, row)) notExclusive++;
    }
    const surplus = present - ((head.smapsKb.Rss ?? 0) * 1024) / pageSize;
    if (surplus <= 0 || surplus !== notExclusive || head.kind !== 'anon') return;
    for (let row = firstRow; row < end; row++) if (couldBeZero(columns, row)) columns.kind[row] = PageKind.zero;
  });
}

function couldBeZero(columns: PageColumns, row: number): boolean {
  return columns.kind[row] === PageKind.anon && (columns.flags[row] & PageFlag.exclusive) === 0;
}
