/** What is told of creep: per kernel which settings climb, on what grounds, and one case scan by scan. */
import {
  type CreepCase,
  type CreepRow,
  creepKind,
  isExhaustive,
  ordersOf,
  replayCreep,
  requirementOf,
  SCAN,
  StudyTable,
  scanTable,
} from '@thplab/mthp-collapse';
import { formatCount, formatShare } from '@thplab/scenario';
import { listText } from '../../input/number-list.js';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import type { Options } from '../creep.js';
import type { CreepAnswer } from './run-study.js';

/** All kernels, one below the other. */
export function creepText(
  answers: readonly CreepAnswer[],
  options: Options,
  head: { readonly version: string; readonly partial: boolean },
  colors: Palette,
): string {
  const [first] = answers;
  if (first === undefined) return '';
  const { pmdOrder, orderSets } = first.question;
  const sets =
    orderSets.length === 1 ? `orders ${ordersText(orderSets[0] ?? 0)}` : `${orderSets.length} sets of orders`;
  const entries = `tables of ${1 << pmdOrder} entries, ${sets}`;
  const lines = [`${colors.strong('creep')}  ${colors.faint(`${entries}, thplab ${head.version}`)}\n`];
  if (head.partial) lines.push(`${colors.bad('PARTIAL: interrupted; below is what was done')}\n`);
  return lines.join('') + answers.map((answer) => kernelText(answer, options, colors)).join('');
}

const KINDS = {
  together: 'several folios together',
  alone: 'a single folio, by itself',
} as const;

function kernelText(answer: CreepAnswer, options: Options, colors: Palette): string {
  const { question, rows } = answer;
  const name = question.generation.name;
  if (rows.length === 0) return `\n${colors.strong(name)}\n  not looked at\n`;
  const none = isExhaustive(question) ? 'no' : 'not seen';
  const cells = grouped(rows).map(({ values, verdict, climbing, cases, mostScans }) => {
    const kind = verdict === 'no' ? colors.good(none) : colors.notable(KINDS[verdict]);
    return [listText(values), kind, formatCount(climbing), formatCount(cases), verdict === 'no' ? '-' : `${mostScans}`];
  });
  const made = table(
    [
      { title: 'max_ptes_none' },
      { title: 'climbs' },
      { title: 'tables that do', align: 'right' },
      { title: 'of', align: 'right' },
      { title: 'scans', align: 'right' },
    ],
    cells,
    colors,
  );
  const example = bestExample(rows);
  const shown = example === null ? '' : `\n${exampleText(example, options, colors)}`;
  return `\n${colors.strong(name)}\n${made}  ${verdictText(answer, colors)}\n${shown}`;
}

/** Neighbouring values with the same verdict as one row. */
function grouped(rows: readonly CreepRow[]) {
  const groups: {
    values: number[];
    verdict: CreepRow['verdict'];
    climbing: number;
    cases: number;
    mostScans: number;
  }[] = [];
  for (const { maxPtesNone, verdict, climbing, cases, mostScans } of rows) {
    const last = groups.at(-1);
    if (last?.verdict === verdict) {
      last.values.push(maxPtesNone);
      last.climbing += climbing;
      last.cases += cases;
      last.mostScans = Math.max(last.mostScans, mostScans);
    } else groups.push({ values: [maxPtesNone], verdict, climbing, cases, mostScans });
  }
  return groups;
}

function verdictText({ question, rows, complete }: CreepAnswer, colors: Palette): string {
  const climbing = rows.reduce((sum, row) => sum + row.climbing, 0);
  const cases = rows.reduce((sum, row) => sum + row.cases, 0);
  const every = isExhaustive(question);
  const so = complete ? '' : ', as far as it came';
  const size = 1 << question.pmdOrder;
  if (climbing > 0) {
    const share = every
      ? `${formatShare(climbing / cases, 1)} of all tables`
      : `${formatCount(climbing)} of ${formatCount(cases)} sampled tables`;
    return `${colors.bad('CREEPS')}  ${share}${so}`;
  }
  if (!every) return `${colors.notable('NOT SEEN')}  in ${formatCount(cases)} samples${so}; that is no proof`;
  const bitmaps = formatCount(2 ** size);
  return `${colors.good('PROVEN')}  no scan takes a larger window because of an earlier one: all ${bitmaps} tables tried${so}`;
}

function bestExample(rows: readonly CreepRow[]): CreepCase | null {
  let best: CreepCase | null = null;
  for (const { example } of rows) {
    if (example === null) continue;
    const better =
      best === null ||
      (creepKind(best) !== 'alone' && creepKind(example) === 'alone') ||
      (creepKind(best) === creepKind(example) && example.scans.length > best.scans.length);
    if (better) best = example;
  }
  return best;
}

/** A case as pictures: the table before and after each scan, and the windows that were collapsed. */
function exampleText(found: CreepCase, options: Options, colors: Palette): string {
  const { rules, start, scans, climbs } = found;
  const working = StudyTable.of(rules.pmdOrder, start);
  const where = `max_ptes_none ${rules.settings.maxPtesNone}, orders ${ordersText(rules.enabledOrders)}`;
  const lines = [`  for instance with ${where}:`, ...picture(working, 'start', colors)];
  scans.forEach((_attempts, i) => {
    const attempts = scanWithReasons(found, working);
    lines.push(...picture(working, `scan ${i + 1}`, colors));
    for (const { offset, order, why } of attempts.slice(0, MOST_WINDOWS)) {
      const climbed = climbs.some((one) => one.scan === i + 1 && one.offset === offset && one.order === order);
      const mark = climbed ? colors.notable('  climbs') : '';
      lines.push(`            order ${order} at ${offset}: ${why}${mark}`);
    }
    if (attempts.length > MOST_WINDOWS) lines.push(`            and ${attempts.length - MOST_WINDOWS} more windows`);
  });
  lines.push(`  ${LEGEND}`, `  repeat: ${repeatCommand(found, options)}`);
  return `${lines.join('\n')}\n`;
}

const MOST_WINDOWS = 6;
const LEGEND = '.  empty   0  single page   2, 3, ...  page of a folio of that order';

/** The windows that the next scan of the table collapses, each with the count it had and the rule; the table is scanned. */
function scanWithReasons({ rules }: CreepCase, working: StudyTable) {
  const { generation, pmdOrder, settings, enabledOrders, alwaysOrders } = rules;
  const before = StudyTable.of(pmdOrder, working.occupied);
  const context = { pmdOrder, settings, initiator: 'khugepaged', uffdArmed: false } as const;
  return scanTable(rules, working)
    .filter(({ result }) => result === SCAN.SUCCEED)
    .map(({ offset, order }) => {
      const { text } = requirementOf(generation, order, enabledOrders, alwaysOrders, context);
      return { offset, order, why: `${before.present(offset, order)} of ${1 << order} present; ${text}` };
    });
}

function picture(working: StudyTable, name: string, colors: Palette): string[] {
  const letters = working.letters();
  const perRow = 64;
  const group = letters.length <= 16 ? 4 : 16;
  const lines: string[] = [];
  for (let at = 0; at < letters.length; at += perRow) {
    const row = letters.slice(at, at + perRow).match(new RegExp(`.{1,${group}}`, 'g')) ?? [];
    lines.push(`    ${colors.faint((at === 0 ? name : '').padEnd(6))}  ${row.join(' ')}`);
  }
  return lines;
}

function ordersText(set: number): string {
  return listText([...ordersOf(set)].reverse());
}

/** The command that shows this case again, alone. */
function repeatCommand({ rules }: CreepCase, options: Options): string {
  const { generation, settings, enabledOrders, pmdOrder } = rules;
  const parts = [
    `thplab creep --kernel ${generation.name} --ptes ${1 << pmdOrder}`,
    `--max-ptes-none ${settings.maxPtesNone} --orders ${ordersText(enabledOrders)}`,
    ...(options.always ? ['--always'] : []),
    ...(pmdOrder > 4 ? [`--samples ${options.samples} --seed ${options.seed}`] : []),
  ];
  return parts.join(' ');
}

/** One kernel's answer as data. */
export function creepDocument(answer: CreepAnswer, options: Options): Record<string, unknown> {
  const { question, rows, complete } = answer;
  const best = bestExample(rows);
  return {
    kernel: question.generation.name,
    creeps: rows.some(({ verdict }) => verdict !== 'no'),
    proof: isExhaustive(question) ? 'every table' : 'sampled',
    complete,
    orderSets: question.orderSets.map((set) => [...ordersOf(set)].reverse()),
    rows: rows.map(({ example, ...row }) => row),
    example: best === null ? null : exampleDocument(best, options),
  };
}

function exampleDocument(found: CreepCase, options: Options): Record<string, unknown> {
  const { rules, start, climbs } = found;
  const working = StudyTable.of(rules.pmdOrder, start);
  const begin = working.letters();
  const scans = replayCreep(rules, start).scans.map(() => {
    const windows = scanWithReasons(found, working);
    return { windows, table: working.letters() };
  });
  const orders = [...ordersOf(rules.enabledOrders)].reverse();
  return {
    maxPtesNone: rules.settings.maxPtesNone,
    orders,
    start: begin,
    scans,
    climbs,
    repeat: repeatCommand(found, options),
  };
}
