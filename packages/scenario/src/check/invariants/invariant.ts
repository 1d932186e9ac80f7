/** The invariants that a case can ask for (khugepaged spec 19), and who looks after each. */

export const INVARIANTS = [
  'I1',
  'I2',
  'I3',
  'I4',
  'I5',
  'I6',
  'I7',
  'I8',
  'rmap',
  'slots',
  'cache-hook',
  'warnings',
] as const;
export type Invariant = (typeof INVARIANTS)[number];

/** Left out unless a case names it: an architecture's own. */
export const ON_REQUEST: ReadonlySet<Invariant> = new Set(['cache-hook']);

/** What each says. Locking rules, exceptions and deadlocks are failures whatever a case asks for. */
export const INVARIANT_TEXT: Readonly<Record<Invariant, string>> = {
  I1: 'every page reads what was written to it last',
  I2: 'RSS and all other counts equal what the page tables hold',
  I3: 'a PMD whose table holds pages is empty only under mmap_lock for writing, and the anon_vma lock or all folio locks',
  I4: 'a folio that was locked or isolated is given back exactly once',
  I5: 'references and map counts of every folio equal its mappings and holders',
  I6: 'no hole is filled after userfaultfd was registered for it',
  I7: 'locks are taken in the order of khugepaged spec 10',
  I8: 'nobody gives back a lock that it does not hold, or keeps one',
  rmap: 'a walk under the anon_vma lock finds as many mappings as the folio counts',
  slots: 'an address space that is marked as registered is on khugepaged’s list',
  'cache-hook': 'when entries are set, a walk from the address space finds their table',
  warnings: 'the kernel does not warn of a value of max_ptes_none that nobody wrote',
};
