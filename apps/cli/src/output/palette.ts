/** Colours, and whether there are any. Meaning first: verbs ask for `good` or `faint`, never for green. */
import picocolors from 'picocolors';
import type { TextSink } from '../io.js';

export interface Palette {
  readonly enabled: boolean;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly notable: (text: string) => string;
}

/** NO_COLOR wins over FORCE_COLOR, both over the question whether it is a terminal. */
export function paletteFor(sink: TextSink, env: Readonly<Record<string, string | undefined>>): Palette {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return palette(false);
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return palette(force !== '0' && force !== 'false');
  return palette(sink.isTerminal && env.TERM !== 'dumb');
}

export function palette(enabled: boolean): Palette {
  const { bold, dim, green, red, yellow } = picocolors.createColors(enabled);
  return { enabled, strong: bold, faint: dim, good: green, bad: red, notable: yellow };
}
