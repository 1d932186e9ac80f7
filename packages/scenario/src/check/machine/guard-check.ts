/**
 * Holds every access of a searched machine against the guard that its column names. Reads are asked about when they happen,
 * through columns that look at the index; writes at the end of a step, from what has changed since its beginning: a step
 * takes and gives back locks with its first operation only, so all of it runs under the same ones.
 */
import { Arena, type ArenaPlan, type RowPool, type TablePlan, type Tables } from '@thplab/arena';
import { KHUGEPAGED_GUARDS } from '@thplab/khugepaged-scheduler';
import {
  type ColumnGuard,
  type GuardedUse,
  holdsAny,
  keepsTables,
  type Machine,
  MM_GUARDS,
  type MmTables,
} from '@thplab/mm-model';
import { type Column, GuardError, type HeldLocks, heldText, readCheckedColumn } from '@thplab/sync';

/** All guards by name. */
export const GUARDS: Readonly<Record<string, ColumnGuard>> = { ...MM_GUARDS, ...KHUGEPAGED_GUARDS };

/** A column with a guard. */
export interface GuardedColumn {
  /** `table.column`. */
  readonly name: string;
  readonly table: string;
  readonly guardName: string;
  readonly guard: ColumnGuard;
  /** Bytes from one row to the next. */
  readonly rowBytes: number;
  /** Elements from one row to the next. */
  readonly stride: number;
  readonly offset: number;
}

/** The columns of a plan whose guard is declared in `GUARDS`; a test sees to it that all are. */
export function guardedColumns(plan: ArenaPlan): GuardedColumn[] {
  return plan.tables.flatMap((table) =>
    table.columns.flatMap(({ name, guard: guardName = '', offset, stride, type }) => {
      const guard = GUARDS[guardName];
      if (guard === undefined) return [];
      return [
        {
          name: `${table.name}.${name}`,
          table: table.name,
          guardName,
          guard,
          rowBytes: stride * bytesOf(type),
          stride,
          offset,
        },
      ];
    }),
  );
}

function bytesOf(type: TablePlan['columns'][number]['type']): number {
  return type === 'u8' ? 1 : type === 'u16' ? 2 : type === 'f64' ? 8 : 4;
}

/** The step that runs. */
export interface RunningStep {
  /** What its task holds; undefined between steps. */
  readonly held: HeldLocks | undefined;
  /** Another number for every step, and after each row that it frees. */
  readonly epoch: number;
}

export class GuardCheck {
  private readonly m: Machine;
  private readonly before: Tables<MmTables>;

  /** `shadow` holds the arena's bytes as they were when the running step began. */
  constructor(m: Machine, shadow: SharedArrayBuffer) {
    this.m = m;
    const { decls, plan } = m.arena;
    this.before = Arena.attach(decls, plan.sizes, shadow).tables as unknown as Tables<MmTables>;
  }

  /** The column with a look at every element that the running task reads. */
  guarded(column: Column, facts: GuardedColumn, running: RunningStep): Column {
    const { stride } = facts;
    // Steps are numbered; what a row's guard has said once holds to the end of the step.
    const asked = new Float64Array(Math.ceil(column.length / stride));
    return readCheckedColumn(column, (element) => {
      const row = Math.floor(element / stride);
      if (asked[row] === running.epoch || running.held === undefined) return;
      this.read(facts, row, running.held);
      asked[row] = running.epoch;
    });
  }

  /** True if the task may read all page tables: the usual case, which then costs nothing. */
  keepsAllTables(held: HeldLocks): boolean {
    const { m } = this;
    if (held.count === 0) return false;
    for (const mm of m.mm.pool.rows()) if (!keepsTables({ m, held }, mm)) return false;
    return true;
  }

  /**
   * True if the task may read every VMA: it has all mmap_locks, and no row was freed that it could still know. Looking at
   * single elements costs far more than the reads themselves, and this is how most of them come.
   */
  keepsAllVmas(held: HeldLocks): boolean {
    const { mm, vma, locks } = this.m;
    if (held.count === 0 || !isDense(vma.pool) || !isDense(mm.pool)) return false;
    for (let row = 1; row < mm.pool.end; row++) if (!holdsAny(held, locks.mmapLock.ref(row))) return false;
    return true;
  }

  private read(facts: GuardedColumn, row: number, held: HeldLocks): void {
    const { name, guard } = facts;
    if (!guard.mayRead(this.use(facts, row, held))) throw this.missing(name, row, 'read', guard.reads, held);
  }

  /** The step that ends has changed a row. Errors: GuardError. */
  written(facts: GuardedColumn, row: number, held: HeldLocks): void {
    const { name, guard } = facts;
    if (!guard.mayWrite(this.use(facts, row, held))) throw this.missing(name, row, 'written', guard.writes, held);
  }

  private use({ table }: GuardedColumn, row: number, held: HeldLocks): GuardedUse {
    return { m: this.m, before: this.before, table, row, held };
  }

  private missing(name: string, row: number, verb: string, wanted: string, held: HeldLocks): GuardError {
    const [table = ''] = name.split('.');
    const { pool } =
      (this.m.arena.tables as unknown as Readonly<Record<string, { readonly pool?: RowPool }>>)[table] ?? {};
    if (pool?.isLive(row) === false) return new GuardError(`${name}[${row}] is ${verb} after the row was freed`);
    const has = heldText(held.report((lock) => this.m.domain.describe(lock)));
    return new GuardError(`${name}[${row}] is ${verb} by a task that holds ${has}; it takes ${wanted}`);
  }
}

/** No row was given back, or all that were are in use again. */
function isDense(pool: RowPool): boolean {
  return pool.live === pool.end - 1;
}
