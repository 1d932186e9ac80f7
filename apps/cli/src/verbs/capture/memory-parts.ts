/** The entries of a snapshot added up by kind and by the size of the folio they belong to. */
import { ORDER_UNKNOWN, PageFlag, PageKind, type Snapshot } from '@thplab/capture';

export interface MemoryPart {
  readonly kind: keyof typeof PageKind;
  /** Bytes of each folio; null: not known, or not in memory. */
  readonly folioBytes: number | null;
  readonly pmdMapped: boolean;
  readonly bytes: number;
}

const PMD_MAPPED_BIT = 0x100;

/** In the order of the kinds, smallest folios first. */
export function memoryParts({ pages, kernel }: Snapshot): readonly MemoryPart[] {
  const counts = new Map<number, number>();
  for (let row = 0; row < pages.length; row++) {
    const mapped = (pages.flags[row] & PageFlag.pmdMapped) !== 0 ? PMD_MAPPED_BIT : 0;
    const key = pages.kind[row] * 0x200 + mapped + pages.order[row];
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const names = new Map(
    Object.entries(PageKind).map(([name, code]) => [code as number, name as keyof typeof PageKind]),
  );
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([key, count]) => {
      const kind = names.get(Math.floor(key / 0x200)) ?? 'special';
      const order = key & 0xff;
      const inFolios = IN_FOLIOS.includes(kind) && order !== ORDER_UNKNOWN;
      return {
        kind,
        folioBytes: inFolios ? kernel.pageSize * 2 ** order : null,
        pmdMapped: (key & PMD_MAPPED_BIT) !== 0,
        bytes: count * kernel.pageSize,
      };
    });
}

const IN_FOLIOS: readonly string[] = ['anon', 'file', 'shmem', 'ksm', 'hugetlb'];
