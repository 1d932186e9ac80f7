/** Two accounts of one table, held against each other: the first decision that differs, and each side's reason for it. */
import { requirementOf } from '@thplab/mthp-collapse';
import { type ExplainLook, type ExplainRow, type ExplainStep, formatSize, type RuleFacts } from '@thplab/scenario';

/** What one variant did with the table. */
export interface Side {
  readonly row: ExplainRow;
  readonly looks: readonly ExplainLook[];
  readonly facts: RuleFacts | null;
  readonly pageSize: number;
}

/** The decision on which they part. */
export interface Decision {
  /** What it is about, such as `entries 0-15 as 64K`. */
  readonly about: string;
  /** Each side's, with the rule behind it. */
  readonly first: string;
  readonly second: string;
}

/** The first decision that differs; null if they decide alike as far as is known. */
export function decisionOf(a: Side, b: Side): Decision | null {
  for (let i = 0; ; i++) {
    const [lookA, lookB] = [a.looks[i], b.looks[i]];
    if (lookA === undefined && lookB === undefined) return null;
    if (lookA === undefined || lookB === undefined) {
      const about = i === 0 ? 'whether it is looked at' : `whether it is looked at a ${ordinal(i + 1)} time`;
      return { about, first: lookText(a, lookA), second: lookText(b, lookB) };
    }
    const found = firstDifference(a, lookA, b, lookB);
    if (found !== null) return i === 0 ? found : { ...found, about: `${found.about}, ${ordinal(i + 1)} look` };
  }
}

function firstDifference(a: Side, lookA: ExplainLook, b: Side, lookB: ExplainLook): Decision | null {
  const window = firstWindow(lookA, lookB);
  const [scanA, scanB] = [scanOf(lookA), scanOf(lookB)];
  const isRescan = isLinear(a) || isLinear(b);
  if (scanA?.result !== scanB?.result && !(isRescan && window !== null)) {
    return { about: 'the scan of the table', first: scanText(a, scanA), second: scanText(b, scanB) };
  }
  if (window === null) return null;
  const { slot, size } = window;
  const last = slot + sizeInPages(size, a.pageSize) - 1;
  const about = `entries ${slot}-${last} as ${size}`;
  return { about, first: windowText(a, lookA, window), second: windowText(b, lookB, window) };
}

type Attempt = ExplainStep & { readonly kind: 'attempt' };
type Skip = ExplainStep & { readonly kind: 'skip' };
type Scan = ExplainStep & { readonly kind: 'scan' };
/** A window by its place and its size in words. */
type Place = Pick<Attempt, 'slot' | 'size'>;

/** The first window that one side attempts and the other does not, or with another result; null if there is none. */
function firstWindow(a: ExplainLook, b: ExplainLook): Place | null {
  const [triedA, triedB] = [attemptsOf(a), attemptsOf(b)];
  for (let i = 0; i < Math.max(triedA.length, triedB.length); i++) {
    const [one, other] = [triedA[i], triedB[i]];
    if (one !== undefined && other !== undefined && isSame(one, other) && one.result === other.result) continue;
    const onlyA = one !== undefined && !triedB.some((attempt) => isSame(attempt, one)) ? one : null;
    const onlyB = other !== undefined && !triedA.some((attempt) => isSame(attempt, other)) ? other : null;
    // What the other side has considered and passed over says more than what it never came to.
    const passedOver = onlyB !== null && skipsOf(a).some((skip) => isSame(skip, onlyB)) ? onlyB : null;
    if (onlyA !== null || onlyB !== null) return passedOver ?? onlyA ?? onlyB;
    return one ?? other ?? null;
  }
  return null;
}

const isSame = (a: Place, b: Place): boolean => a.slot === b.slot && a.size === b.size;
const attemptsOf = ({ steps }: ExplainLook): readonly Attempt[] => steps.filter((step) => step.kind === 'attempt');
const skipsOf = ({ steps }: ExplainLook): readonly Skip[] => steps.filter((step) => step.kind === 'skip');
const scanOf = ({ steps }: ExplainLook): Scan | undefined => steps.find((step) => step.kind === 'scan');
const isLinear = ({ facts }: Side): boolean => facts?.generation.walk === 'linearRescan';

function lookText({ row }: Side, look: ExplainLook | undefined): string {
  if (look !== undefined) return `looked at, ${doneText(look)}`;
  if (row.looks > 0) return `not again: looked at ${row.looks} times, the last result ${row.outcome}`;
  return `not looked at: ${row.passedBy ?? 'khugepaged did not come here before the run ended'}`;
}

function doneText({ steps }: ExplainLook): string {
  const done = steps.find((step) => step.kind === 'done');
  return done?.kind === 'done' ? done.result : 'the run ended meanwhile';
}

/** What the scan of the whole table found, and the limit of empty entries where that decides. */
function scanText({ facts }: Side, scan: Scan | undefined): string {
  if (scan === undefined) return 'there was no table to scan';
  const { result, scanned, none, unmapped, shared, referenced } = scan;
  const counts = `${result} after ${scanned} entries: ${none} empty, ${unmapped} swapped out, ${shared} shared, ${referenced} referenced`;
  if (facts === null) return counts;
  const { generation, enabledOrders, context } = facts;
  if (generation.walk === 'linearRescan') return counts;
  const limit = generation.scanNoneLimit(enabledOrders, context);
  const least = limit > 2 ** context.pmdOrder - 1 ? 'does not limit the empty ones' : `accepts ${limit} empty ones`;
  return `${counts}; the scan ${least}`;
}

/** What became of a window, and the rule. */
function windowText(side: Side, look: ExplainLook, place: Place): string {
  const tried = attemptsOf(look).find((attempt) => isSame(attempt, place));
  const skipped = skipsOf(look).find((skip) => isSame(skip, place));
  if (tried !== undefined)
    return `tried, ${tried.result}; ${presentText(side, look, place)}${ruleText(side, place, null)}`;
  if (skipped !== undefined) {
    const { occupied, required } = skipped;
    return `not tried: ${occupied} of ${countedOf(side, place)}, ${required} needed${ruleText(side, place, required)}`;
  }
  return `not tried: ${untriedReason(side, look, place)}`;
}

/** Why the walk never came to a window. */
function untriedReason(side: Side, look: ExplainLook, place: Place): string {
  const { facts } = side;
  const order = orderOf(side, place);
  const larger = attemptsOf(look).find(
    (one) => one.slot <= place.slot && endOf(one, side) >= endOf(place, side) && one.result === 'succeeded',
  );
  if (larger !== undefined)
    return `entries ${larger.slot}-${endOf(larger, side) - 1} are a ${larger.size} folio by then`;
  if (facts === null) return 'the VMA is gone';
  const { generation, enabledOrders, context } = facts;
  if (generation.minOrder === 'pmd' && order < context.pmdOrder) return 'this kernel knows the PMD order only';
  if (generation.minOrder !== 'pmd' && order < generation.minOrder)
    return `this kernel builds nothing below order ${generation.minOrder}`;
  const isForced = context.initiator === 'madvise';
  if (isForced && (enabledOrders & (1 << order)) === 0)
    return `MADV_COLLAPSE of this kernel does not ask for ${place.size}`;
  if ((enabledOrders & (1 << order)) === 0) return `${place.size} is not enabled here`;
  const { needed, text } = requirementOf(generation, order, enabledOrders, facts.alwaysOrders, chosenBy(facts));
  if (needed === null) return text;
  if (generation.walk === 'linearRescan') {
    return `${presentText(side, look, place)}; ${text}; a scan or attempt that fails takes its order out of the range`;
  }
  const last = attemptsOf(look).at(-1);
  const end =
    last === undefined
      ? 'nothing was attempted'
      : `the last attempt was entries ${last.slot}-${endOf(last, side) - 1}: ${last.result}`;
  const scan = scanOf(look);
  return scan !== undefined && scan.result !== 'succeeded'
    ? `the scan ended with ${scan.result}`
    : `the walk ended before it; ${end}`;
}

function ruleText(side: Side, place: Place, required: number | null): string {
  const { facts } = side;
  if (facts === null) return '';
  const order = orderOf(side, place);
  const { needed, text } = requirementOf(
    facts.generation,
    order,
    facts.enabledOrders,
    facts.alwaysOrders,
    chosenBy(facts),
  );
  // The settings were others then: the numbers stand for themselves.
  if (required !== null && needed !== required) return '';
  return required === null && needed !== null ? `; ${needed} needed: ${text}` : `: ${text}`;
}

/** The choice of windows does not ask the VMA about userfaultfd, except with the defect B1, or window by window. */
function chosenBy({ generation, context }: NonNullable<Side['facts']>): NonNullable<Side['facts']>['context'] {
  const asks = generation.passVmaToNoneHelper || generation.walk === 'linearRescan';
  return asks ? context : { ...context, uffdArmed: false };
}

/** What the walk counts in a window: entries, or chunks of entries. */
function countedOf({ facts, pageSize }: Side, place: Place): string {
  const chunk = 2 ** (facts?.generation.chunkOrder ?? 0);
  const counted = sizeInPages(place.size, pageSize) / chunk;
  return chunk > 1 ? `${counted} chunks` : `${counted} present`;
}

function presentText(side: Side, { before }: ExplainLook, place: Place): string {
  const pages = sizeInPages(place.size, side.pageSize);
  const slots = before?.slots.slice(place.slot, place.slot + pages) ?? [];
  const present = slots.filter(({ kind }) => kind === 'page').length;
  const largest = slots.reduce((most, { kind, order }) => (kind === 'page' ? Math.max(most, order) : most), 0);
  const folio = largest > 0 ? `, some in folios of ${formatSize(side.pageSize * 2 ** largest)}` : '';
  return `${present} of ${pages} present${folio}`;
}

function sizeInPages(size: string, pageSize: number): number {
  for (let order = 0; order < 32; order++) if (formatSize(pageSize * 2 ** order) === size) return 2 ** order;
  return 1;
}

const orderOf = ({ pageSize }: Side, { size }: Place): number => Math.log2(sizeInPages(size, pageSize));
const endOf = ({ slot, size }: Place, { pageSize }: Side): number => slot + sizeInPages(size, pageSize);
const ordinal = (n: number): string => ['', 'first', 'second', 'third'][n] ?? `${n}th`;
