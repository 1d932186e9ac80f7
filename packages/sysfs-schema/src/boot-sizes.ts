/** The value of thp_anon= and thp_shmem=: lists of sizes and ranges of sizes, each list with a policy. */
import { type Geometry, orderOfBytes, sizeDirectoryName } from './geometry.js';

export type SizePolicies =
  | { readonly ok: true; readonly policies: readonly (readonly [order: number, word: string])[] }
  | { readonly ok: false; readonly message: string };

const SUFFIXES = 'kmgtpe';

/**
 * Reads `16K-64K:always;128K,512K:inherit`. Policies come in the order written, so that a later one overrides; one mistake
 * anywhere refuses the whole text, as the kernel does (setup_thp_anon). Sizes are powers of two in bytes with an optional
 * K, M, G, T, P or E (memparse: also hexadecimal and octal; what follows the suffix is not looked at, so 64kB is 64K).
 */
export function parseSizePolicies(
  text: string,
  geometry: Geometry,
  orders: readonly number[],
  words: readonly string[],
): SizePolicies {
  const policies: (readonly [number, string])[] = [];
  for (const group of text.split(';')) {
    const colon = group.indexOf(':');
    if (colon === -1) return refuse(`${JSON.stringify(group)} has no policy; write <size>[-<size>]:<policy>`);
    const word = group.slice(colon + 1);
    for (const range of group.slice(0, colon).split(',')) {
      const dash = range.indexOf('-');
      const first = orderOfSize(dash === -1 ? range : range.slice(0, dash), geometry);
      const last = dash === -1 ? first : orderOfSize(range.slice(dash + 1), geometry);
      if (!orders.includes(first) || !orders.includes(last))
        return refuse(
          `${JSON.stringify(range)} is not one of the sizes, or a range of them; they are ${sizes(geometry, orders)}`,
        );
      if (first > last) return refuse(`the range ${range} runs downwards; write the smaller size first`);
      if (!words.includes(word))
        return refuse(`${JSON.stringify(word)} is not a policy; there are ${words.join(', ')}`);
      for (let order = first; order <= last; order++) policies.push([order, word]);
    }
  }
  return { ok: true, policies };
}

/** The order of a size, or -1 for a text that is no size of any order. */
function orderOfSize(text: string, geometry: Geometry): number {
  const [, digits = '', suffix = ''] = /^(0[xX][0-9a-fA-F]+|[0-9]+)([kmgtpeKMGTPE]?)/.exec(text) ?? [];
  const octal = /^0[0-7]+$/.test(digits);
  const bytes = Number(octal ? `0o${digits}` : digits) * 1024 ** (SUFFIXES.indexOf(suffix.toLowerCase() || '?') + 1);
  return digits === '' ? -1 : (orderOfBytes(geometry, bytes) ?? -1);
}

function sizes(geometry: Geometry, orders: readonly number[]): string {
  return orders.map((order) => sizeDirectoryName(geometry, order).slice('hugepages-'.length)).join(', ');
}

function refuse(message: string): SizePolicies {
  return { ok: false, message };
}
