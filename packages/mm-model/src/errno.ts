/** Error numbers that the model's system calls return, negated, as the kernel's do. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ERANGE: 34,
  EOPNOTSUPP: 95,
  ECANCELED: 125,
} as const;
export type ErrnoName = keyof typeof ERRNO;

/** Name of a negative errno, for messages; '0' for success. */
export function errnoName(result: number): string {
  if (result >= 0) return '0';
  const found = Object.entries(ERRNO).find(([, number]) => number === -result);
  return found === undefined ? `errno ${-result}` : found[0];
}
