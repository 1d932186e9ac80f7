/** Every mapped page lies in a VMA, and the reverse map of its folio leads back to that VMA and page. */
import { FOLIO } from '../flags.js';
import type { Machine } from '../machine.js';
import { type Census, headOf, type Mapping } from './census.js';
import type { Findings } from './findings.js';

/** Checks all entries of all page tables. */
export function checkReverseMap(m: Machine, census: Census, findings: Findings): void {
  const vmas = new Map<number, number[]>();
  for (const mm of census.mms.keys()) vmas.set(mm, vmasInOrder(m, findings, mm));
  for (const { mm, page, pages } of census.occupied) {
    const vma = vmaOf(m, vmas.get(mm) ?? [], page);
    if (vma === 0 || m.vma.end[vma] < page + pages) findings.add(`mm ${mm}: page ${page} is in use, but in no VMA`);
  }
  checkFileMaps(m, vmas, findings);
  const chains = new Map<number, Set<number>>();
  for (const mapping of census.mappings) {
    const vma = vmaOf(m, vmas.get(mapping.mm) ?? [], mapping.page);
    if (vma !== 0) checkMapping(m, findings, chains, mapping, vma);
  }
}

/** Each file's list holds the VMAs that map it, each once. */
function checkFileMaps(m: Machine, vmas: ReadonlyMap<number, readonly number[]>, findings: Findings): void {
  const expected = new Map<number, Set<number>>();
  for (const vma of [...vmas.values()].flat()) {
    const file = m.vma.file[vma];
    if (file !== 0) expected.set(file, (expected.get(file) ?? new Set()).add(vma));
  }
  for (const file of m.file.pool.rows()) {
    const wanted = expected.get(file) ?? new Set();
    const found = new Set<number>();
    for (let vma = m.file.vmaFirst[file]; vma !== 0 && !found.has(vma); vma = m.vma.fileNext[vma]) found.add(vma);
    for (const vma of found)
      if (!wanted.has(vma)) findings.add(`file ${file}: VMA ${vma} is in its list, but maps it not`);
    for (const vma of wanted)
      if (!found.has(vma)) findings.add(`file ${file}: VMA ${vma} maps it, but is not in its list`);
  }
}

function vmasInOrder(m: Machine, findings: Findings, mm: number): number[] {
  const found: number[] = [];
  let end = 0;
  for (let vma = m.mm.vmaFirst[mm]; vma !== 0 && found.length <= m.vma.capacity; vma = m.vma.next[vma]) {
    if (m.vma.start[vma] < end || m.vma.end[vma] <= m.vma.start[vma])
      findings.add(`mm ${mm}: VMA ${vma} overlaps or is empty`);
    end = m.vma.end[vma];
    found.push(vma);
  }
  findings.equal(`mm ${mm}: VMAs`, m.mm.vmaCount[mm], found.length);
  return found;
}

function vmaOf(m: Machine, vmas: readonly number[], page: number): number {
  let low = 0;
  let high = vmas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (m.vma.end[vmas[middle]] <= page) low = middle + 1;
    else high = middle;
  }
  const vma = vmas[low];
  return vma !== undefined && m.vma.start[vma] <= page ? vma : 0;
}

function checkMapping(
  m: Machine,
  findings: Findings,
  chains: Map<number, Set<number>>,
  mapping: Mapping,
  vma: number,
): void {
  const head = headOf(m, mapping.pfn);
  const at = `mm ${mapping.mm}, page ${mapping.page} (frame ${mapping.pfn})`;
  const linear = (mapping.page - m.vma.start[vma] + m.vma.pgoff[vma]) % 2 ** 32;
  if (linear !== (m.frame.index[head] + (mapping.pfn - head)) % 2 ** 32) {
    findings.add(
      `${at}: page offset ${linear} in the VMA, but ${m.frame.index[head] + (mapping.pfn - head)} in the folio`,
    );
  }
  const owner = m.frame.mapping[head];
  if ((m.frame.flags[head] & FOLIO.ANON) === 0) {
    if (m.vma.file[vma] !== owner) findings.add(`${at}: the folio is of file ${owner}, the VMA of ${m.vma.file[vma]}`);
    return;
  }
  let known = chains.get(owner);
  if (known === undefined) {
    known = new Set();
    for (let avc = m.anonVma.avcFirst[owner]; avc !== 0; avc = m.avc.anonNext[avc]) known.add(m.avc.vma[avc]);
    chains.set(owner, known);
  }
  if (!known.has(vma)) findings.add(`${at}: its anon_vma ${owner} does not know VMA ${vma}`);
}
