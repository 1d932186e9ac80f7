import { describe, expect, it } from 'vitest';
import { formatRead, parseRead } from './format-read.js';
import { GEOMETRY_4K } from './geometry.js';
import { LINUX_6_18_TREE } from './testing/linux-6-18.js';
import { filesOf, SYSFS_ROOT, sysfsTree } from './tree.js';

interface Row {
  readonly kind: string;
  readonly mode: number;
  readonly path: string;
  readonly content: string;
}

const machine: readonly Row[] = LINUX_6_18_TREE.trimEnd()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([kind = '', mode = '', path = '', content = '']) => ({
    kind,
    mode: Number.parseInt(mode, 8),
    path: path === '.' ? SYSFS_ROOT : `${SYSFS_ROOT}/${path}`,
    content: `${content}\n`,
  }));
const tree = sysfsTree('v6.18', GEOMETRY_4K);

describe('the tree of profile v6.18 with 4 KiB pages', () => {
  it('has the paths, kinds and modes of a running Linux 6.18, in the order of a recursive listing', () => {
    expect(machine.length).toBe(199);
    expect(tree.map(({ kind, path, mode }) => ({ kind, path, mode }))).toEqual(
      machine.map(({ kind, path, mode }) => ({ kind: kind === 'D' ? 'directory' : 'file', path, mode })),
    );
  });

  it('shows the contents of that machine when fed with its counters, and its settings are the defaults', () => {
    const contents = new Map(machine.map((row) => [row.path, row.content]));
    for (const file of filesOf(tree)) {
      const content = contents.get(file.path) ?? 'absent';
      const counter = file.grammar.kind === 'counter';
      expect(formatRead(file, counter ? Number(content) : file.default), file.path).toBe(content);
      expect(parseRead(file, content), file.path).toBe(counter ? Number(content) : file.default);
    }
  });
});
