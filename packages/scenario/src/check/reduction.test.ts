/**
 * The reduction rests on the log of fetched columns. Two checks that it may: nothing that an actor writes goes unseen, and
 * with and without reduction the same end states are reached.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DepthFirst, type ExploreCase, explore, RandomWalk } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { ACTORS, caseText, PAGES } from '../testing/check-pairs.js';
import { type CheckCase, parseCheck, subjectOf } from './index.js';
import type { Stage } from './stage.js';

const folder = join(import.meta.dirname, '../../../../examples/check');
const read = (file: string) => parseCheck(readFileSync(join(folder, file), 'utf8'), file);

/** Columns that schedules of a case change behind the log's back. */
function unseenWrites(check: CheckCase): string[] {
  const { subject, stage } = subjectOf(check, { fixed: true });
  const unseen = new Set<string>();
  const watched: ExploreCase = {
    ...subject,
    checkStep: () => {
      // The step's own columns were compared when it ended; what still differs was written past the log.
      for (const name of stage.log.unseen()) unseen.add(name);
      return [];
    },
  };
  explore(watched, new RandomWalk(7, 50), { schedules: 50, shrink: false });
  return [...unseen];
}

describe('the log of columns', () => {
  it.each(readdirSync(folder).filter((file) => file.endsWith('.yaml')))('misses no write of %s', (file) => {
    expect(unseenWrites(read(file))).toEqual([]);
  });

  it.each(ACTORS)('misses no write of %s beside khugepaged and a fault', (actor) => {
    const fault = 'fault-write: { page: 1, may: [sigsegv, userfault, oom] }';
    const first = actor === 'khugepaged: {}' ? 'munmap: {}' : 'khugepaged: {}';
    for (const pages of Object.values(PAGES)) {
      expect(unseenWrites(parseCheck(caseText(pages, [first, actor, fault])))).toEqual([]);
    }
  });
});

/** End states that a search reaches, as far as anybody decides by them. */
function endStates(file: string, reduction: boolean): { readonly states: Set<string>; readonly schedules: number } {
  const { subject, stage } = subjectOf(read(file), { fixed: true, reduction });
  const states = new Set<string>();
  const noting: ExploreCase = {
    ...subject,
    check: () => {
      states.add(stateText(stage));
      return [];
    },
  };
  const report = explore(noting, new DepthFirst({ reduction }), { schedules: 20_000 });
  expect(report.coverage.kind).toBe('exhaustive');
  return { states, schedules: report.schedules };
}

function stateText({ raw, log }: Stage): string {
  return log.columns
    .map(({ offset, bytes }) => Buffer.from(raw.arena.buffer, offset, bytes).toString('latin1'))
    .join('|');
}

describe('the reduction', () => {
  it.each(['b01-stale-vma', 'b07-rmap-empty-pmd', 'b12-uffd-registered-after-scan', 'b11-torn-read-of-a-setting'])(
    'reaches the end states of %s that all schedules reach',
    (name) => {
      const all = endStates(`${name}.yaml`, false);
      const reduced = endStates(`${name}.yaml`, true);
      expect([...reduced.states].sort()).toEqual([...all.states].sort());
      expect(all.states.size).toBeGreaterThan(1);
      expect(reduced.schedules).toBeLessThan(all.schedules / 10);
    },
  );
});
