/** Numbers of the system call interface on x86_64 and arm64 Linux, by their names without prefix. */

/** mmap: access rights (PROT_*). */
export const PROT = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const;

/** mmap: kinds of mapping (MAP_*). */
export const MAP = {
  SHARED: 0x1,
  PRIVATE: 0x2,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  GROWSDOWN: 0x100,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  STACK: 0x20000,
  FIXED_NOREPLACE: 0x100000,
} as const;

/** mremap flags (MREMAP_*). */
export const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;

/** prctl options (PR_*). */
export const PR = { SET_THP_DISABLE: 41, GET_THP_DISABLE: 42 } as const;

/** userfaultfd: request codes, modes and features (linux/userfaultfd.h). */
export const UFFD = {
  /** userfaultfd(2): faults of user mode only, which needs no privilege. */
  USER_MODE_ONLY: 1,
  API: 0xaa,
  IOCTL_API: 0xc018aa3f,
  IOCTL_REGISTER: 0xc020aa00,
  IOCTL_UNREGISTER: 0x8010aa01,
  IOCTL_WRITEPROTECT: 0xc018aa06,
  IOCTL_POISON: 0xc020aa08,
  MODE_MISSING: 1,
  MODE_WP: 2,
  MODE_MINOR: 4,
  FEATURE_SIGBUS: 0x80,
  FEATURE_WP_UNPOPULATED: 0x2000,
  FEATURE_POISON: 0x4000,
} as const;

/** System call numbers that both architectures share, and those of x86_64 that differ. */
export const SYS = {
  x64: { mremap: 25, clone: 56, userfaultfd: 323, process_madvise: 440, pidfd_open: 434 },
  arm64: { mremap: 216, clone: 220, userfaultfd: 282, process_madvise: 440, pidfd_open: 434 },
} as const;

/** clone: the signal at the child's end; without flags the child is a fork. */
export const SIGCHLD = 17;
/** Ends a process at once. */
export const SIGKILL = 9;
