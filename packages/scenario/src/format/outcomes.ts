/** Outcome texts: `collapsed`, `collapsed 64K`, and the kernel's scan results under every name they have. */
import { SCAN, type ScanResult, type ScanResultName, scanResultText } from '@thplab/mthp-collapse';
import type { Hint } from './context.js';
import { suggest } from './did-you-mean.js';
import type { Outcome } from './scenario.js';
import { parseSize } from './units.js';

/** Nothing ever looked at the block. */
export const NOT_SCANNED = 'not_scanned';

const RESULT_TEXTS: ReadonlyMap<string, string> = new Map(
  (Object.keys(SCAN) as ScanResultName[]).flatMap((name): [string, string][] => {
    const text = scanResultText(SCAN[name] as ScanResult);
    return [
      [text, text],
      [name.toLowerCase(), text],
    ];
  }),
);

/** Texts that an outcome may have, for suggestions. */
export const OUTCOME_NAMES: readonly string[] = ['collapsed', NOT_SCANNED, ...new Set(RESULT_TEXTS.values())];

/** The outcome of a text, or the hint that says what would be one. */
export function parseOutcome(text: string): Outcome | { readonly hint: Hint } {
  const collapsed = /^collapsed(?:\s+(?:to\s+)?(\S+))?$/.exec(text);
  if (collapsed !== null) {
    if (collapsed[1] === undefined) return { kind: 'collapsed', size: null };
    const size = parseSize(collapsed[1]);
    return size === null ? { hint: 'expected "collapsed 2M"' } : { kind: 'collapsed', size };
  }
  if (text === NOT_SCANNED) return { kind: 'result', result: NOT_SCANNED };
  const result = RESULT_TEXTS.get(text.toLowerCase());
  return result === undefined ? { hint: () => suggest(text, OUTCOME_NAMES, 40) } : { kind: 'result', result };
}
