/** A scenario made from another tool's file: a beginning that runs, to be edited. */
import { formatSize } from '@thplab/scenario';

/** One mapping of it. */
export interface ImportedVma {
  readonly name: string;
  /** Bytes; null: wherever there is place. */
  readonly at: number | null;
  readonly size: number;
  readonly advice?: string | null;
  /** Layers of `populate`, as YAML; none: nothing is populated. */
  readonly populate: readonly string[];
}

/** See the head of the file. */
export interface ImportedScenario {
  readonly name: string;
  /** Where it is from, and what was not in the file; a line each. */
  readonly remarks: readonly string[];
  readonly process: string;
  readonly vmas: readonly ImportedVma[];
  /** Members of `workload`, as YAML. */
  readonly workload: readonly string[];
  readonly seconds: number;
}

const MiB = 2 ** 20;

/** The scenario's text. The machine is twice as large as what is mapped, and has at least 256 MiB. */
export function scenarioText({ name, remarks, process, vmas, workload, seconds }: ImportedScenario): string {
  const bytes = vmas.reduce((sum, { size }) => sum + size, 0);
  const memory = Math.max(256 * MiB, Math.ceil((2 * bytes) / (64 * MiB)) * 64 * MiB);
  const lines = [
    'format: thplab/scenario@1',
    `name: ${JSON.stringify(name)}`,
    'description: |',
    ...remarks.map((remark) => `  ${remark}`),
    `machine: { memory: ${formatExact(memory)} }`,
    'sysfs: { enabled: always }',
    'processes:',
    `  - name: ${process}`,
    '    vmas:',
    ...vmas.map(vmaLine),
    ...(workload.length === 0 ? [] : ['workload:', ...workload.map((one) => `  - { process: ${process}, ${one} }`)]),
    `run: { for: ${seconds}s }`,
  ];
  return `${lines.join('\n')}\n`;
}

function vmaLine({ name, at, size, advice, populate }: ImportedVma): string {
  const place = at === null ? '' : ` at: 0x${at.toString(16)},`;
  const layers = populate.length === 0 ? '' : `, populate: [${populate.map((one) => `{ ${one} }`).join(', ')}]`;
  return `      - { name: ${JSON.stringify(name)},${place} size: ${formatExact(size)}${advice == null ? '' : `, advice: ${advice}`}${layers} }`;
}

/** A size that is read back as it was. */
function formatExact(bytes: number): string {
  for (const unit of [2 ** 30, MiB, 2 ** 10])
    if (bytes % unit === 0 && bytes > 0)
      return formatSize(Math.round(bytes / unit) * unit).includes('.') ? `${bytes}` : formatSize(bytes);
  return `${bytes}`;
}

/** A name that a scenario takes, out of any text; `taken` keeps them apart. */
export function nameFrom(text: string, taken: Set<string>): string {
  const base = text.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z]+|-+$/g, '') || 'vma';
  let name = base;
  for (let at = 2; taken.has(name); at++) name = `${base}-${at}`;
  taken.add(name);
  return name;
}
