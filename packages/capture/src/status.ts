// /proc/PID/status and /proc/PID/stat: who the process is and how much it has.
import type { StatusField } from './snapshot.js';

/** The lines of status that a capture uses. */
export interface ProcessStatus {
  readonly name: string;
  /** One letter: 'R', 'S', 'Z' (zombie), ... */
  readonly state: string;
  readonly threads: number;
  /** True for a kernel thread, which has no memory of its own. */
  readonly kernelThread: boolean;
  readonly thpEnabled: boolean | null;
  readonly kb: Partial<Record<StatusField, number>>;
}

/** The kB fields of status that are kept. */
export const STATUS_FIELDS: readonly StatusField[] = [
  'VmSize',
  'VmRSS',
  'RssAnon',
  'RssFile',
  'RssShmem',
  'VmSwap',
  'VmPTE',
  'HugetlbPages',
];

/** Parses the text of /proc/PID/status. Lines that are missing give the empty value of their field. */
export function parseStatus(text: string): ProcessStatus {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const kb: Partial<Record<StatusField, number>> = {};
  for (const field of STATUS_FIELDS) {
    const match = /^([0-9]+) kB$/.exec(values.get(field) ?? '');
    if (match !== null) kb[field] = Number(match[1]);
  }
  const thp = values.get('THP_enabled');
  return {
    name: values.get('Name') ?? '',
    state: (values.get('State') ?? '').slice(0, 1),
    threads: Number(values.get('Threads') ?? 0),
    kernelThread: values.get('Kthread') === '1',
    thpEnabled: thp === undefined ? null : thp === '1',
    kb,
  };
}

/**
 * The start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), as text: with the pid it names one
 * process for ever, so a pid that was used again is noticed. The name (field 2) may hold spaces and brackets.
 */
export function parseStartTime(stat: string): string {
  const afterName = stat.slice(stat.lastIndexOf(')') + 1).trim();
  return afterName.split(' ')[19] ?? '';
}
