/** The page tables that `cover` looks at: made up by a pattern and a seed, or those of a scenario or snapshot as it begins. */
import {
  type CoverCase,
  defaultPtesSettings,
  type Generation,
  orderSet,
  ordersOf,
  type PtesSettings,
  patternTable,
  StudyTable,
  TABLE_PATTERNS,
} from '@thplab/mthp-collapse';
import type { Context } from '../../context.js';
import { UsageError } from '../../errors.js';
import { listText, numberList } from '../../input/number-list.js';
import { readInput } from '../../input/read-input.js';
import { runnable } from '../../input/runnable.js';
import type { CoverSource, Options } from '../cover.js';

const DEFAULT_NONE = '255';
const MOST_TABLES = 1_000_000;

/** Tables by chance. Errors: UsageError for options that cannot be. */
export function madeUp(options: Options): CoverSource {
  const pmdOrder = Math.log2(Number(options.ptes ?? 512));
  const tables = options.tables ?? 1000;
  if (tables < 1 || tables > MOST_TABLES) throw new UsageError(`--tables ${tables}: expected 1 to 1,000,000`);
  const pattern = TABLE_PATTERNS.find((name) => name === options.pattern) ?? 'mixed';
  const density = densityOf(options.density);
  const seed = options.seed ?? 1;
  const enabledOrders = orderSet(numberList('--orders', options.orders ?? `2-${pmdOrder}`, 2, pmdOrder));
  const none = options.maxPtesNone ?? `${Math.min(Number(DEFAULT_NONE), 2 ** (pmdOrder - 1) - 1)}`;
  const settings = { ...defaultPtesSettings(pmdOrder), maxPtesNone: oneValue(none, pmdOrder) };
  const rules = { pmdOrder, enabledOrders, alwaysOrders: options.always ? enabledOrders : 0, settings };
  const full = density === null ? '' : `, ${density} full`;
  return {
    name: `${tables} tables of ${1 << pmdOrder} entries, pattern ${pattern}${full}, seed ${seed}`,
    rulesText: rulesText(settings, enabledOrders),
    tables,
    caseOf: (index, generation) => ({
      name: `table ${index}`,
      table: StudyTable.of(pmdOrder, patternTable(pmdOrder, pattern, density, seed, index)),
      rules: { ...rules, generation },
    }),
  };
}

function densityOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const share = Number(text);
  if (text.trim() !== '' && share >= 0 && share <= 1) return share;
  throw new UsageError(`--density ${JSON.stringify(text)}: expected a share from 0 to 1, such as 0.6`);
}

function oneValue(text: string, pmdOrder: number): number {
  const values = numberList('--max-ptes-none', text, 0, 2 ** pmdOrder - 1);
  if (values.length === 1) return values[0] as number;
  throw new UsageError(`--max-ptes-none ${JSON.stringify(text)}: one value at a time`);
}

function rulesText({ maxPtesNone }: PtesSettings, orders: number): string {
  return `max_ptes_none ${maxPtesNone}, orders ${listText([...ordersOf(orders)].reverse())}`;
}

/** One table of a file, with the settings of its VMA. */
interface FoundTable {
  readonly name: string;
  readonly table: StudyTable;
  readonly enabledOrders: number;
  readonly alwaysOrders: number;
}

/** The tables of a scenario or a snapshot before anything ran. Errors: InputError; UsageError for options that go with made-up ones. */
export async function ofInput(context: Context, path: string, options: Options): Promise<CoverSource> {
  for (const name of ['ptes', 'tables', 'pattern', 'density'] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} is for made-up tables; ${path} has its own`);
  }
  const found = await runnable(
    context,
    await readInput(context, path),
    options.seed === undefined ? {} : { seed: options.seed },
  );
  const { tablesOfScenario } = await import('@thplab/scenario');
  const { runError } = await import('../../simulate.js');
  try {
    const { tables, settings, pmdOrder, name } = tablesOfScenario(found.scenario, found.options);
    const none = options.maxPtesNone;
    const used = none === undefined ? settings : { ...settings, maxPtesNone: oneValue(none, pmdOrder) };
    const orders = options.orders === undefined ? null : orderSet(numberList('--orders', options.orders, 2, pmdOrder));
    const cases = tables.map((table) => withOrders(table, orders, options.always === true)).filter(hasPages);
    const shown =
      orders === null ? `max_ptes_none ${used.maxPtesNone}, orders as sysfs has them` : rulesText(used, orders);
    return {
      name: `${name}: ${cases.length} page tables`,
      rulesText: shown,
      tables: cases.length,
      caseOf: (index, generation) => caseOf(cases[index] as FoundTable, used, generation),
    };
  } catch (error) {
    throw await runError(error);
  }
}

function withOrders(found: FoundTable, orders: number | null, always: boolean): FoundTable {
  const enabledOrders = orders ?? found.enabledOrders;
  return { ...found, enabledOrders, alwaysOrders: always ? enabledOrders : found.alwaysOrders & enabledOrders };
}

function hasPages({ table, enabledOrders }: FoundTable): boolean {
  return enabledOrders !== 0 && table.present(0, table.pmdOrder) > 0;
}

function caseOf(found: FoundTable, settings: PtesSettings, generation: Generation): CoverCase {
  const { name, table, enabledOrders, alwaysOrders } = found;
  return { name, table, rules: { generation, pmdOrder: table.pmdOrder, enabledOrders, alwaysOrders, settings } };
}
