/** A scenario out of smaps: mappings, advice, and how much of each is there. Which pages, smaps does not say. */
import type { MapsEntry } from '@thplab/capture';
import { type ImportedVma, nameFrom, scenarioText } from './scenario-text.js';

const PAGE = 4096;
const BLOCK = 512;

/** Text of the scenario. Only private memory without a file, with something in it. */
export function smapsScenario(entries: readonly MapsEntry[], from: string): string {
  const taken = new Set<string>();
  const used = entries.filter(isAnonymous);
  return scenarioText({
    name: `process of ${from}`,
    remarks: [
      `Private memory of ${from}: ${used.length} of ${entries.length} mappings.`,
      'smaps says how much of a mapping is there and how much of that is huge, not which pages: huge ones are at the',
      'beginning, others at random. A capture (thplab capture) knows.',
    ],
    process: 'app',
    vmas: used.map((entry) => vmaOf(entry, taken)),
    workload: [],
    seconds: 60,
  });
}

function isAnonymous({ name, perms, inode, fieldsKb }: MapsEntry): boolean {
  const ofKernel = name.startsWith('[v');
  const resident = (fieldsKb.Anonymous ?? fieldsKb.Rss ?? 0) + (fieldsKb.Swap ?? 0);
  return perms.endsWith('p') && inode === '0' && !ofKernel && resident > 0;
}

function vmaOf(
  { start, end, name, fieldsKb, vmFlags }: MapsEntry,
  taken: Set<string>,
): ImportedVma & { readonly advice: string | null } {
  const pages = (end - start) / PAGE;
  const hugePages = ((fieldsKb.AnonHugePages ?? 0) * 1024) / PAGE;
  const smallPages = Math.max(0, ((fieldsKb.Anonymous ?? fieldsKb.Rss ?? 0) * 1024) / PAGE - hugePages);
  const swapped = ((fieldsKb.Swap ?? 0) * 1024) / PAGE;
  const populate: string[] = [];
  const rest = Math.max(1, pages - hugePages);
  const share = (count: number): string => Math.min(1, count / rest).toFixed(6);
  if (swapped > 0) populate.push(`sparse: ${share(swapped)}, state: swap`);
  if (smallPages > 0) populate.push(`sparse: ${share(smallPages)}`);
  const first = Math.ceil(start / PAGE / BLOCK) * BLOCK - start / PAGE;
  if (hugePages >= BLOCK)
    populate.push(`pages: ${first}-${first + Math.floor(hugePages / BLOCK) * BLOCK - 1}, order: 2M`);
  const advice = vmFlags.includes('hg') ? 'hugepage' : vmFlags.includes('nh') ? 'nohugepage' : null;
  return { name: nameFrom(name === '' ? 'anon' : name, taken), at: start, size: end - start, populate, advice };
}
