/**
 * The kernel's number and boolean grammars for text that a process writes to a file (kstrtoul, kstrtouint, kstrtobool).
 * They see the bytes up to the first NUL.
 */

export type ParsedNumber =
  | { readonly ok: true; readonly value: bigint }
  | { readonly ok: false; readonly errno: 'EINVAL' | 'ERANGE' };

const ULONG_MAX = 2n ** 64n - 1n;
const UINT_MAX = 2n ** 32n - 1n;
/** Digits of 2^64 - 1. Longer runs of digits (leading zeros aside) overflow, so no huge number is ever built. */
const ULONG_DIGITS = 20;

/**
 * kstrtoul with base 10 on a 64-bit machine: an optional single `+`, at least one decimal digit, at most one newline, the
 * end. No spaces, no minus, no 0x, no separators. Too big is ERANGE even if rubbish follows; anything else wrong is EINVAL.
 */
export function kstrtoul(text: string): ParsedNumber {
  const [, digits = '', rest = ''] = /^\+?([0-9]*)([\s\S]*)$/.exec(upToNul(text)) ?? [];
  const significant = digits.replace(/^0+/, '');
  if (significant.length > ULONG_DIGITS) return { ok: false, errno: 'ERANGE' };
  const value = BigInt(significant === '' ? '0' : significant);
  if (value > ULONG_MAX) return { ok: false, errno: 'ERANGE' };
  if (digits === '' || (rest !== '' && rest !== '\n')) return { ok: false, errno: 'EINVAL' };
  return { ok: true, value };
}

/** kstrtouint with base 10: as {@link kstrtoul}, and above 2^32 - 1 is ERANGE. */
export function kstrtouint(text: string): ParsedNumber {
  const parsed = kstrtoul(text);
  if (parsed.ok && parsed.value > UINT_MAX) return { ok: false, errno: 'ERANGE' };
  return parsed;
}

/**
 * kstrtobool: the first letter decides (y Y t T 1 are true; n N f F 0 are false; from Linux 6.16 on, `enableWords`, also e E
 * and d D for enabled and disabled); with o or O the second letter does (on, off, in any case). What follows is not looked
 * at, so `yoghurt` is true. null: not a boolean.
 */
export function kstrtobool(text: string, enableWords: boolean): boolean | null {
  const visible = upToNul(text);
  const first = visible.charAt(0).toLowerCase();
  if (first === 'y' || first === 't' || first === '1') return true;
  if (first === 'n' || first === 'f' || first === '0') return false;
  if (enableWords && (first === 'e' || first === 'd')) return first === 'e';
  if (first !== 'o') return null;
  const second = visible.charAt(1).toLowerCase();
  return second === 'n' ? true : second === 'f' ? false : null;
}

/** sysfs_streq: equal, apart from one newline at the end of what was written. */
export function sysfsStreq(text: string, word: string): boolean {
  const visible = upToNul(text);
  return visible === word || visible === `${word}\n`;
}

function upToNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}
