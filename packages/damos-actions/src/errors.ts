/** Why DAMON refuses something. `errno` is what the kernel's call or sysfs write would return. */
export class DamonError extends Error {
  override readonly name: string = 'DamonError';
  readonly errno: DamonErrno;

  constructor(errno: DamonErrno, message: string) {
    super(`${errno}: ${message}`);
    this.errno = errno;
  }
}

/** Error numbers that DAMON's interfaces give, by name. */
export type DamonErrno = 'EINVAL' | 'EBUSY' | 'ECANCELED' | 'ENOMEM';
