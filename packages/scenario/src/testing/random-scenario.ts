/**
 * Random scenarios on a toy machine (tables of eight entries): four processes under all kinds of events at once. What comes
 * of them does not matter; the machine must be sound afterwards.
 */
import { Random } from '@thplab/arena';
import { GENERATIONS } from '@thplab/mthp-collapse';

/** The text of the scenario with this number. */
export function randomScenario(number: number): string {
  const random = new Random(number);
  const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  const chance = (text: string): string => pick('', text);
  const pages = (): string => {
    const first = random.below(64);
    return `${first}-${Math.min(63, first + random.below(pick(2, 8, 30)))}`;
  };
  const layer = (): string =>
    pick(
      'full',
      `{ sparse: ${10 + random.below(80)}% }`,
      `{ pages: ${pages()}, state: ${pick('swap', 'zero', 'none', 'guard', 'present')} }`,
      `{ order: ${pick('16K', '32K')}${chance(', sparse: 70%')} }`,
      `{ perTable: ${1 + random.below(8)} }`,
      `{ pages: ${pages()}, young: 0.5, lazyfree: 0.2 }`,
      `{ pages: ${pages()}, pinned: 0.05 }`,
    );
  const layers = (): string => Array.from({ length: 1 + random.below(3) }, layer).join(', ');
  const vma = (name: string): string =>
    `{ name: ${name}, size: 256K, populate: [${layers()}], advice: ${pick('hugepage', 'hugepage', 'none', 'nohugepage')}, ` +
    `uffd: ${pick('[]', '[]', '[]', 'wp', 'missing')} }`;
  const process = (name: string, more = ''): string => `  - { name: ${name}, ${more}vmas: [${vma('h')}, ${vma('g')}] }`;
  const span = (): string => `process: ${pick('a', 'b', 'c', 'c.0', 'kid')}, vma: ${pick('h', 'g')}`;
  const part = (): string => pick('', `, blocks: ${random.below(8)}`, `, pages: "${pages()}"`);
  const setting = (): string =>
    pick(
      `enabled: ${pick('always', 'madvise', 'never')}`,
      `defrag: ${pick('always', 'defer', 'madvise', 'never')}`,
      `hugepages-16kB/enabled: ${pick('always', 'madvise', 'inherit', 'never')}`,
      `hugepages-32kB/enabled: ${pick('always', 'inherit', 'never')}`,
      `khugepaged/max_ptes_none: ${pick(0, 3, 7)}`,
      `khugepaged/defrag: ${pick(0, 1)}`,
    );
  const advice = (): string =>
    pick('hugepage', 'nohugepage', 'dontneed', 'free', 'cold', 'pageout', 'collapse', 'collapse', 'guard_install');
  const actions: readonly (() => string)[] = [
    () => `fault: { ${span()}, pages: "${pages()}", write: ${pick(true, false)}${chance(', over: 5ms')} }`,
    () => `access: { ${span()}, sparse: 20%, write: ${pick(true, false)}, every: ${1 + random.below(9)}ms, for: 50ms }`,
    () => `madvise: { ${span()}${part()}, advice: ${advice()} }`,
    () => `madvise: { ${span()}${part()}, advice: ${pick('populate_read', 'populate_write', 'guard_remove')} }`,
    () => `fork: { process: a, as: kid${chance(`, lifetime: ${1 + random.below(30)}ms`)} }`,
    () => `munmap: { ${span()}${part()} }`,
    () => `mprotect: { ${span()}${part()}, prot: ${pick('r--', 'rw-', 'rw-', '---')} }`,
    () => `${pick('mlock', 'munlock')}: { ${span()}${part()} }`,
    () => `pin: { ${span()}, pages: ${random.below(64)}${chance(', for: 4ms')} }`,
    () => `lock: { ${span()}, pages: ${random.below(64)}, for: 4ms }`,
    () => `swapout: { ${span()}, pages: "${pages()}" }`,
    () => `uffd: { ${span()}, call: ${pick('register, modes: wp', 'register, modes: missing', 'unregister')} }`,
    () => `uffd: { ${span()}${part()}, call: ${pick('writeprotect', 'unprotect')} }`,
    () => `prctl: { process: ${pick('a', 'b', 'c.0')}, thp: ${pick('default', 'disable', 'except-advised')} }`,
    () => `sysfs: { ${setting()} }`,
    () => `failAllocation: { order: ${pick('32K', '16K', '4K')}, ${pick('nth: 2', 'count: 2')} }`,
    () => `mremap: { ${span()}, size: ${pick('128K', '256K', '384K')} }`,
    () =>
      `mmap: { process: ${pick('a', 'b')}, name: m${random.below(1000)}, size: 128K, populate: full, advice: hugepage }`,
    () => `exit: { process: ${pick('b', 'c.1', 'kid')} }`,
  ];
  const event = (): string => {
    const repeat = pick('', '', `, repeat: { every: ${2 + random.below(20)}ms, times: ${1 + random.below(4)} }`);
    return `  - { at: ${random.below(90)}ms${repeat}, ${pick(...actions)()} }`;
  };
  const events = Array.from({ length: 5 + random.below(30) }, event);
  return `format: thplab/scenario@1
name: random
seed: ${number}
machine:
  memory: ${pick('2M', '4M', '16M')}
  pmdOrder: 3
  swap: ${pick('128K', '1M')}
  cpus: ${pick(1, 2, 4)}
  kernel: ${pick(...GENERATIONS.map((generation) => generation.name))}
sysfs:
  enabled: ${pick('always', 'madvise', 'never')}
  defrag: ${pick('always', 'madvise', 'never')}
  hugepages-16kB/enabled: ${pick('always', 'inherit', 'never')}
  khugepaged/scan_sleep_millisecs: ${pick(1, 5, 20)}
  khugepaged/alloc_sleep_millisecs: 3
  khugepaged/pages_to_scan: ${pick(8, 64, 1000)}
  khugepaged/max_ptes_none: ${pick(0, 3, 7)}
  khugepaged/defrag: ${pick(0, 1)}
processes:
${process('a', 'memcg: /jobs/a, ')}
${process('b', 'memcg: /jobs/b, ')}
${process('c', 'count: 2, ')}
events:
  - { at: 0s, fork: { process: a, as: kid, lifetime: 50ms } }
${events.join('\n')}
run: { for: 150ms }
`;
}
