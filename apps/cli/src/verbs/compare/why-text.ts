/** Where variants part, in words. */
import type { Palette } from '../../output/palette.js';
import type { Parting } from './why.js';

/** One paragraph for each pair. */
export function whyText(partings: readonly Parting[], colors: Palette): string {
  return partings.map((parting) => partingText(parting, colors)).join('');
}

function partingText({ first, second, range, address, outcomes, decision }: Parting, colors: Palette): string {
  const title = colors.strong(`Where ${first} and ${second} part`);
  if (range === null || outcomes === null)
    return `\n${title}\n  nowhere: every range they were seen to decide about fares alike\n`;
  const width = Math.max(first.length, second.length);
  const [one, other] = outcomes;
  const place = colors.faint(`0x${(address ?? 0).toString(16)}`);
  const fares = one === other ? `${one} in both` : `${one} against ${other}`;
  const lines = [`  ${range}  ${place}  ${fares}`];
  if (decision === null)
    lines.push('  the decisions kept are alike: they part later, or by what happened between looks');
  else {
    lines.push(`  decided on ${decision.about}:`);
    lines.push(`    ${first.padEnd(width)}  ${decision.first}`, `    ${second.padEnd(width)}  ${decision.second}`);
  }
  return `\n${title}\n${lines.join('\n')}\n`;
}
