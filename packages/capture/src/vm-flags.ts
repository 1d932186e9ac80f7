// The two-letter mnemonics of smaps' VmFlags line and the kernel's names for them (proc_pid_smaps(5)).

const NAMES: Readonly<Record<string, string>> = {
  rd: 'VM_READ',
  wr: 'VM_WRITE',
  ex: 'VM_EXEC',
  sh: 'VM_SHARED',
  mr: 'VM_MAYREAD',
  mw: 'VM_MAYWRITE',
  me: 'VM_MAYEXEC',
  ms: 'VM_MAYSHARE',
  gd: 'VM_GROWSDOWN',
  pf: 'VM_PFNMAP',
  lo: 'VM_LOCKED',
  io: 'VM_IO',
  sr: 'VM_SEQ_READ',
  rr: 'VM_RAND_READ',
  dc: 'VM_DONTCOPY',
  de: 'VM_DONTEXPAND',
  lf: 'VM_LOCKONFAULT',
  ac: 'VM_ACCOUNT',
  nr: 'VM_NORESERVE',
  ht: 'VM_HUGETLB',
  sf: 'VM_SYNC',
  wf: 'VM_WIPEONFORK',
  dd: 'VM_DONTDUMP',
  sd: 'VM_SOFTDIRTY',
  mm: 'VM_MIXEDMAP',
  hg: 'VM_HUGEPAGE',
  nh: 'VM_NOHUGEPAGE',
  mg: 'VM_MERGEABLE',
  um: 'VM_UFFD_MISSING',
  uw: 'VM_UFFD_WP',
  ui: 'VM_UFFD_MINOR',
  ss: 'VM_SHADOW_STACK',
  sl: 'VM_SEALED',
  dp: 'VM_DROPPABLE',
  gu: 'VM_MAYBE_GUARD',
};

/** The kernel's name of a VmFlags mnemonic ('hg' is 'VM_HUGEPAGE'); one that is not known is returned unchanged. */
export function vmFlagName(mnemonic: string): string {
  return Object.hasOwn(NAMES, mnemonic) ? NAMES[mnemonic] : mnemonic;
}
