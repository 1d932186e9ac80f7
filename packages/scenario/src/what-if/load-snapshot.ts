/** A captured process in a machine of the model. */
import { Random } from '@thplab/arena';
import { PageFlag, pagesOfVma, type Snapshot, type SnapshotVma } from '@thplab/capture';
import { anonVmaPrepareNow, type Machine, MMF, type MmId, VMA_KIND } from '@thplab/mm-model';
import type { NamedRange } from '../run/process-table.js';
import { GhostMapper } from './ghost-mapper.js';
import { PartFolios } from './part-folios.js';
import { loadPages } from './snapshot-pages.js';
import { type LoadedVma, loadVmas } from './snapshot-vmas.js';

/** What the kernel does not tell, and the user may want otherwise. */
export interface LoadOptions {
  /**
   * Which entries are young: `referenced` (default): by chance, as many as smaps counts as Referenced in the VMA; or all,
   * or none.
   */
  readonly young?: 'referenced' | 'all' | 'none';
  /** As if the program had advised all its anonymous memory with MADV_HUGEPAGE. */
  readonly adviseAll?: boolean;
  /** Of the choice of young entries. */
  readonly seed?: number;
}

/** Puts a snapshot into an empty address space. Gives its anonymous VMAs by name. Errors: PopulateError, TableFullError. */
export function loadSnapshot(
  m: Machine,
  mm: MmId,
  snapshot: Snapshot,
  options: LoadOptions = {},
): Map<string, NamedRange> {
  if (snapshot.process.thpEnabled === false) m.mm.flags[mm] |= MMF.DISABLE_THP_COMPLETELY;
  const loaded = loadVmas(m, mm, snapshot, options.adviseAll === true);
  const shared = {
    ghost: new GhostMapper(m),
    folios: new PartFolios(m),
    random: new Random(options.seed ?? 1),
    flagsKnown: snapshot.pages.flags.some((flags) => (flags & PageFlag.swapBacked) !== 0),
  };
  for (const { source, vma } of loaded) {
    const young = youngShare(source, options.young ?? 'referenced');
    loadPages({ m, mm, vma, pages: pagesOfVma(snapshot, source), young, ...shared });
    if (source.hasAnonVma) anonVmaPrepareNow(m, vma);
  }
  shared.folios.finish();
  return namedRanges(m, loaded);
}

function youngShare(source: SnapshotVma, young: 'referenced' | 'all' | 'none'): number {
  if (young !== 'referenced') return young === 'all' ? 1 : 0;
  const { Rss, Referenced } = source.smapsKb;
  if (Rss === undefined || Referenced === undefined) return 1;
  // A few pages more or less are noise of the moments at which the two were read.
  return Rss === 0 || Referenced >= 0.99 * Rss ? 1 : Referenced / Rss;
}

function namedRanges(m: Machine, loaded: readonly LoadedVma[]): Map<string, NamedRange> {
  const named = new Map<string, NamedRange>();
  for (const { source, vma } of loaded) {
    if (m.vma.kind[vma] !== VMA_KIND.anon) continue;
    const start = source.startVpn;
    const address = (start * 2 ** m.geometry.pageShift).toString(16);
    named.set(`${source.name === '' ? 'anon' : source.name}@${address}`, { start, pages: source.endVpn - start });
  }
  return named;
}
