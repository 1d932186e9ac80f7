/** Finding a file by what a person wrote. */
import type { SysfsNode } from './node.js';
import { SYSFS_ROOT } from './tree.js';

/**
 * The absolute form of a path: absolute ones stay, others count from the root directory of the tree (`enabled`,
 * `khugepaged/max_ptes_none`) or carry its name (`transparent_hugepage/enabled`). Doubled and closing slashes go.
 */
export function absolutePath(path: string): string {
  const tidy = path
    .trim()
    .replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1');
  if (tidy.startsWith('/')) return tidy;
  const rootName = SYSFS_ROOT.slice(SYSFS_ROOT.lastIndexOf('/') + 1);
  const relative = tidy.replace(/^\.\//, '').replace(new RegExp(`^${rootName}(/|$)`), '');
  return relative === '' || relative === '.' ? SYSFS_ROOT : `${SYSFS_ROOT}/${relative}`;
}

/** The node at a path in any form that {@link absolutePath} takes, or null. */
export function findNode(nodes: readonly SysfsNode[], path: string): SysfsNode | null {
  const wanted = absolutePath(path);
  return nodes.find((node) => node.path === wanted) ?? null;
}

/**
 * The path of the file or directory that a misspelt path most likely means, or null if none is near: one with the same last
 * part if there is just one such, else the one with the fewest typing errors, at most a third of the text.
 */
export function nearestPath(nodes: readonly SysfsNode[], path: string): string | null {
  const wanted = relativePath(absolutePath(path)).slice(0, LONGEST_COMPARED);
  const name = wanted.slice(wanted.lastIndexOf('/') + 1);
  const sameName = nodes.filter((node) => node.path.endsWith(`/${name}`));
  if (name !== '' && sameName.length === 1) return sameName[0]?.path ?? null;
  let best: { readonly path: string; readonly distance: number } | null = null;
  for (const node of nodes) {
    const limit: number = best?.distance ?? Math.max(2, wanted.length / 3) + 1;
    const path = relativePath(node.path);
    if (Math.abs(wanted.length - path.length) >= limit) continue;
    const distance = typingDistance(wanted, path);
    if (distance < limit) best = { path: node.path, distance };
  }
  return best?.path ?? null;
}

/** Longer texts are cut: no path comes near this length, and the work grows with it. */
const LONGEST_COMPARED = 200;

/** The path below the root directory; '' for that directory, the whole path for one elsewhere. */
function relativePath(path: string): string {
  if (path === SYSFS_ROOT) return '';
  return path.startsWith(`${SYSFS_ROOT}/`) ? path.slice(SYSFS_ROOT.length + 1) : path;
}

/** Letters to insert, delete, replace or swap with their neighbour to make one text of the other (optimal string alignment). */
function typingDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? 0;
}
