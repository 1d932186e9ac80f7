/** Expectations about what became of single PMD ranges. */
import type { Outcome, OutcomeExpectation } from '../format/index.js';
import { formatSize } from '../format/index.js';
import { type RangeOutcome, rangeOutcome } from '../report/outcome.js';
import { outcomeText } from '../report/process-result.js';
import type { World } from '../run/world.js';
import type { Judged } from './judged.js';
import { subjectText } from './ranges.js';

/** One row per expectation: what the blocks came to, those that are wrong first. */
export function judgeOutcomes(world: World, one: OutcomeExpectation): Judged[] {
  const { ptes } = world.m;
  const found: { readonly block: number; readonly outcome: RangeOutcome; readonly ok: boolean }[] = [];
  for (const process of world.processes.named(one.process)) {
    const start = one.vma === null ? 0 : (process.vmas.get(one.vma)?.start ?? 0);
    const first = Math.ceil(start / ptes);
    for (const run of one.blocks) {
      for (let block = run.first; block < run.first + run.count; block++) {
        const outcome = rangeOutcome(world, process.mm, (first + block) * ptes);
        found.push({ block, outcome, ok: one.outcomes.some((wanted) => matches(wanted, outcome)) });
      }
    }
  }
  const wrong = found.filter((each) => !each.ok);
  const shown = wrong.length > 0 ? wrong : found;
  return [
    {
      key: one.key,
      what: `${subjectText(one.process, one.vma)}: outcome of ${blocksText(found.map((each) => each.block))}`,
      expected: one.outcomes.map(expectedText).join(' or '),
      actual: actualText(shown.map((each) => [each.block, outcomeText(each.outcome)])),
      ok: found.length > 0 && wrong.length === 0,
    },
  ];
}

function matches(wanted: Outcome, outcome: RangeOutcome): boolean {
  if (wanted.kind === 'result') return outcome.collapsedTo.length === 0 && outcome.result === wanted.result;
  return wanted.size === null ? outcome.collapsedTo.length > 0 : outcome.collapsedTo.includes(wanted.size);
}

function expectedText(wanted: Outcome): string {
  if (wanted.kind === 'result') return wanted.result;
  return wanted.size === null ? 'collapsed' : `collapsed ${formatSize(wanted.size)}`;
}

/** `block 3: exceed_none_pte`, the same texts put together. */
function actualText(rows: readonly (readonly [number, string])[]): string {
  if (rows.length === 0) return 'no such process is alive';
  const byText = new Map<string, number[]>();
  for (const [block, text] of rows) byText.set(text, [...(byText.get(text) ?? []), block]);
  if (byText.size === 1) return rows[0][1];
  return [...byText].map(([text, blocks]) => `${text} (${blocksText(blocks)})`).join(', ');
}

function blocksText(blocks: readonly number[]): string {
  if (blocks.length === 0) return 'no block';
  const parts: string[] = [];
  for (let i = 0; i < blocks.length; ) {
    let end = i;
    while (end + 1 < blocks.length && blocks[end + 1] === blocks[end] + 1) end++;
    parts.push(end === i ? `${blocks[i]}` : `${blocks[i]}-${blocks[end]}`);
    i = end + 1;
  }
  return `${blocks.length === 1 ? 'block' : 'blocks'} ${parts.join(',')}`;
}
