/**
 * A case of the kernel's selftest as a scenario: its steps in order, each a moment after the one before, with what must
 * hold after each. A script writes the scenario file's text; what it says is what users read under examples/selftest/.
 */

/** Which of the selftest's ways to collapse a case uses (khugepaged spec 20.1). */
export type SelftestContext = 'khugepaged' | 'madvise' | 'mthp';
/** What kind of memory a case works on. */
export type SelftestMemory = 'anon' | 'shmem' | 'file r-x' | 'file rw, clean' | 'file rw, dirty';

type Value = string | number | boolean | Value[] | { readonly [key: string]: Value };
type Fields = { readonly [key: string]: Value };

/** Time between steps, and for khugepaged to come twice through everything, ms. */
const STEP_MS = 10;
const SCAN_MS = 40;
const PTES = 512;

/** What a case asks at one point, in the words of the table. */
export interface Asked {
  readonly key: string;
  readonly words: string;
}

/** A case on its way to a scenario. */
export class Script {
  readonly context: SelftestContext;
  readonly memory: SelftestMemory;
  /** Order that the mthp context builds; the PMD order otherwise. */
  readonly order: number;
  /** What is asked about huge pages after each collapse, in order. */
  readonly asked: Asked[] = [];
  readonly #settings: Record<string, Value>;
  readonly #machine: Record<string, Value> = { memory: '64M', kernel: 'merged' };
  readonly #vmas: string[] = [];
  readonly #events: string[] = [];
  #files: string[] = [];
  #ranges = 1;
  #ms = 0;

  constructor(context: SelftestContext, memory: SelftestMemory, order = 9) {
    this.context = context;
    this.memory = memory;
    this.order = order;
    this.#settings = settingsOf(context, order);
  }

  /** khugepaged alone keeps to max_ptes_none, max_ptes_swap and max_ptes_shared. */
  get enforcesLimits(): boolean {
    return this.context === 'khugepaged';
  }

  /** Another machine than the usual one. */
  machine(fields: Fields): this {
    Object.assign(this.#machine, fields);
    return this;
  }

  /** A setting that differs from the selftest's own. */
  set(path: string, value: Value): this {
    this.#settings[path] = value;
    return this;
  }

  /** Takes back a setting of the context that the machine does not have. */
  unset(path: string): this {
    delete this.#settings[path];
    return this;
  }

  /** The area that the case works on: so many PMD ranges, with these pages populated. */
  area(ranges: number, populate: Value = 'none', more: Fields = {}): this {
    this.#ranges = ranges;
    this.vma({ name: 'area', size: `${ranges * 2}M`, ...this.#kind(`${ranges * 2}M`), populate, ...more });
    return this;
  }

  /** A VMA with all its fields. */
  vma(fields: Fields): this {
    this.#vmas.push(flow(fields));
    return this;
  }

  #kind(size: string): Fields {
    if (this.memory === 'anon') return {};
    if (this.memory === 'shmem') {
      this.#files = [flow({ name: 'memfd', size })];
      return { file: 'memfd' };
    }
    const readOnly = this.memory === 'file r-x';
    this.#files = [flow({ name: 'data', size, kind: 'file', ...(readOnly ? {} : { openForWrite: true }) })];
    return { file: 'data', prot: readOnly ? 'r-x' : 'rw-', flags: readOnly ? 'private' : 'shared' };
  }

  /** How the memory type touches pages of the area: a layer to populate, without dirtying what is read only or synced. */
  pages(pages: string): Fields {
    const clean = this.memory === 'file r-x' || this.memory === 'file rw, clean';
    return clean ? { pages, dirty: 0, writable: 0 } : { pages };
  }

  /** One step. */
  step(action: Fields, expected: Fields = {}): this {
    this.#ms += this.context === 'madvise' ? STEP_MS : STEP_MS / 2;
    const expect = Object.keys(expected).length === 0 ? {} : { expect: expected };
    this.#events.push(flow({ at: `${this.#ms}ms`, ...action, ...expect }));
    return this;
  }

  /** Lets time pass. */
  wait(ms: number = SCAN_MS): this {
    this.#ms += ms;
    return this;
  }

  /** madvise on pages of the area. */
  madvise(advice: string, where: Fields = {}, expected: Fields = {}): this {
    return this.step({ madvise: { ...this.#at(where), advice } }, expected);
  }

  /** Touches pages of the area, as the memory type does. */
  fault(where: Fields = {}): this {
    const write = this.memory === 'anon' || this.memory === 'shmem' || this.memory === 'file rw, dirty';
    return this.step({ fault: { ...this.#at(where), write } });
  }

  #at(where: Fields): Fields {
    return { process: 'test', ...('address' in where ? {} : { vma: 'area' }), ...where };
  }

  /** How the selftest makes a huge page: full, then MADV_COLLAPSE without MADV_HUGEPAGE. */
  hugePage(): this {
    this.area(1, this.#full());
    this.madvise('collapse', {}, { errno: 'ok' });
    return this.huge(true, 'test', false);
  }

  #full(): Value {
    const whole = this.pages('full');
    return Object.keys(whole).length === 1 ? 'full' : whole;
  }

  /** `full`, as the memory type fills an area. */
  get full(): Value {
    return this.#full();
  }

  /** Checks that all of the area, or none of it, is mapped huge. */
  huge(expected: boolean, process = 'test', told = true): this {
    const check = { coverage: { process, vma: 'area', huge: expected ? '100%' : '0%' } };
    return this.check(check, told ? (expected ? 'huge' : 'not') : '');
  }

  /** Checks how much of the area is in folios of the order that the context builds: so many folios. */
  folios(count: number, process = 'test'): this {
    const size = sizeText(this.order);
    const share = (count * 2 ** this.order) / (this.#ranges * PTES);
    const words = `${count} x ${size}`;
    return this.check({ coverage: { process, vma: 'area', sizes: { [size]: share } } }, words);
  }

  /** Checks anything. `words`: what the table says of it; empty: nothing. */
  check(expectations: Fields, words = ''): this {
    if (words !== '') this.asked.push({ key: `events[${this.#events.length}].check`, words });
    return this.step({ check: expectations });
  }

  /** Lets the context collapse the area, and checks that it did, or did not. */
  collapse(expected: boolean, process = 'test', failure = 'EINVAL'): this {
    if (this.context === 'madvise') {
      this.step({ sysfs: { enabled: 'never', shmem_enabled: 'never' } });
      this.madvise('hugepage', { process });
      this.madvise('collapse', { process }, { errno: expected ? 'ok' : failure });
      // Writing dirty pages back takes its time.
      if (this.memory === 'file rw, dirty') this.wait(200);
    } else {
      this.madvise('hugepage', { process }).wait();
      // khugepaged leaves the PMD of a file empty: the next touch maps the huge page.
      if (this.memory !== 'anon') this.fault({ process });
    }
    return this.huge(expected, process);
  }

  /** The scenario's text. */
  text(name: string, about: readonly string[]): string {
    const khugepaged = this.context !== 'madvise' || this.#khugepagedToo;
    const settings = Object.entries(this.#settings).map(([path, value]) => `  ${path}: ${scalar(value)}`);
    return [
      ...about.map((line) => `# ${line}`.trimEnd()),
      '#',
      `#   thplab run examples/selftest/${name}.yaml`,
      'format: thplab/scenario@1',
      `name: ${name}`,
      '',
      `machine: ${flow(this.#machine)}`,
      '',
      'sysfs:',
      ...settings,
      ...(this.#files.length === 0 ? [] : ['', 'files:', ...this.#files.map((file) => `  - ${file}`)]),
      '',
      'processes:',
      '  - name: test',
      '    vmas:',
      ...this.#vmas.map((vma) => `      - ${vma}`),
      '',
      'events:',
      ...this.#events.map((event) => `  - ${event}`),
      ...(khugepaged ? [`  - { at: ${this.#ms + STEP_MS}ms, sysfs: { khugepaged/scan_sleep_millisecs: 60000 } }`] : []),
      '',
      'run:',
      `  for: ${this.#ms + 10 * STEP_MS}ms`,
      ...(khugepaged ? [] : ['  khugepaged: false']),
      ...(this.#trace ? ['  trace: { events: all, capacity: 4096 }'] : []),
      '',
    ].join('\n');
  }

  #trace = false;

  /** Records every event of the trace. */
  traced(): this {
    this.#trace = true;
    return this;
  }

  #khugepagedToo = false;

  /** A madvise case in which khugepaged has a part. */
  withKhugepaged(): this {
    this.#khugepagedToo = true;
    return this;
  }
}

/** Base settings of the selftest, and those of each context. */
function settingsOf(context: SelftestContext, order: number): Record<string, Value> {
  const mthp = context === 'mthp';
  const sizes: Record<string, Value> =
    mthp && order !== 9 ? { 'hugepages-2048kB/enabled': 'never' } : { 'hugepages-2048kB/enabled': 'inherit' };
  if (mthp) sizes[`hugepages-${4 * 2 ** order}kB/enabled`] = 'madvise';
  return {
    enabled: mthp ? 'never' : 'madvise',
    defrag: 'always',
    shmem_enabled: 'advise',
    use_zero_page: 0,
    'khugepaged/defrag': 1,
    'khugepaged/alloc_sleep_millisecs': 10,
    'khugepaged/scan_sleep_millisecs': 10,
    'khugepaged/max_ptes_none': 511,
    'khugepaged/max_ptes_swap': 64,
    'khugepaged/max_ptes_shared': 256,
    'khugepaged/pages_to_scan': 4096,
    ...sizes,
  };
}

/** Size of a folio of an order of 4K pages, as the reports write it. */
export function sizeText(order: number): string {
  const kB = 4 * 2 ** order;
  return kB >= 1024 ? `${kB / 1024}M` : `${kB}K`;
}

/** A value in YAML's flow style. */
function flow(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object') return scalar(value);
  const fields = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`);
  return `{ ${fields.join(', ')} }`;
}

function scalar(value: Value): string {
  if (typeof value !== 'string') return String(value);
  return /^[A-Za-z][\w -]*$|^\d+(\.\d+)?(K|M|G|ms|s|%)$/.test(value) ? value : JSON.stringify(value);
}
