/** khugepaged's passes and the settings that it obeys. */

import { PR_THP_DISABLE_EXCEPT_ADVISED, prctlSetThpDisable } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { absolutePath, settingIndex, sizeDirectoryName } from '@thplab/sysfs-schema';
import fc from 'fast-check';
import { khugepagedDoScan, writeSysfs } from '../../../index.js';
import { must } from '../expectation.js';
import type { Action } from '../step.js';
import { deed, type Job, type World } from '../world.js';
import { anyProcess, chooseProcess, type ProcessChoice } from './target.js';

class Pass implements Action {
  private readonly budget: number;

  constructor(budget: number) {
    this.budget = budget;
  }

  prepare(w: World): Job<void> {
    const { m, k } = w.rig;
    m.setting.value[settingIndex('khugepaged.pages_to_scan')] = this.budget * Math.max(1, m.ptes >> 3);
    const name = 'khugepaged';
    return { name, lane: name, process: 0, structural: false, run: () => khugepagedDoScan(k), deeds: () => [] };
  }

  toString(): string {
    return `Pass(budget ${this.budget})`;
  }
}

/** Writes a file of the machine's sysfs, by the real path and text. */
class WriteSysfs implements Action {
  /** Order of a hugepages-*kB folder, counted down from the PMD order; none: the file lies above them. */
  private readonly below: number | undefined;
  private readonly file: string;
  private readonly text: (ptes: number) => string;
  private readonly shown: string;

  constructor(file: string, shown: string, text: (ptes: number) => string, below?: number) {
    this.file = file;
    this.shown = shown;
    this.text = text;
    this.below = below;
  }

  prepare(w: World): Job<void> {
    const { m } = w.rig;
    const folder =
      this.below === undefined ? '' : `${sizeDirectoryName(m.geometry, Math.max(2, m.pmdOrder - this.below))}/`;
    const path = absolutePath(`${folder}${this.file}`);
    return {
      name: 'sysfs',
      process: 0,
      structural: false,
      run: () => write(w, path, this.text(m.ptes)),
      deeds: () => [],
    };
  }

  toString(): string {
    const folder = this.below === undefined ? '' : `order P-${this.below}: `;
    return `Sysfs(${folder}${this.file} = ${this.shown})`;
  }
}

function* write(w: World, path: string, text: string): Procedure<void> {
  const outcome = yield* writeSysfs(w.rig.k, path, text);
  if (outcome.errno !== 0) throw new Error(`writing ${text} to ${path} gave ${outcome.errno}`);
}

function choice(file: string, words: readonly string[], below?: number): fc.Arbitrary<Action> {
  return fc.constantFrom(...words).map((word) => new WriteSysfs(file, word, () => word, below));
}

/** A limit as a share of the table: 0 to 8 eighths, at most all entries but one. */
function limit(file: string): fc.Arbitrary<Action> {
  return fc.nat(8).map((eighths) => {
    const text = (ptes: number): string => String(Math.min(ptes - 1, (ptes >> 3) * eighths));
    return new WriteSysfs(`khugepaged/${file}`, `${eighths}/8`, text);
  });
}

const sizes = fc.nat(7).chain((below) => choice('enabled', ['always', 'always', 'inherit', 'madvise', 'never'], below));

/** Passes of khugepaged. */
export const passes: fc.Arbitrary<Action> = fc
  .oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(100, 400, 4000))
  .map((budget) => new Pass(budget));

class DisableThp implements Action {
  private readonly choice: ProcessChoice & { readonly disable: boolean; readonly flags: number };

  constructor(choice: ProcessChoice & { readonly disable: boolean; readonly flags: number }) {
    this.choice = choice;
  }

  prepare(w: World): Job<number> {
    const { disable, flags } = this.choice;
    const { id, mm } = chooseProcess(w, this.choice);
    return {
      name: 'prctl',
      process: id,
      structural: false,
      run: () => prctlSetThpDisable(w.rig.m, mm, disable, disable ? flags : 0),
      deeds: (result) => deed(() => must(result === 0, () => `prctl gave ${result}`)),
    };
  }

  toString(): string {
    return `DisableThp(process ${this.choice.process}, ${this.choice.disable}, flags ${this.choice.flags})`;
  }
}

const disabling: fc.Arbitrary<Action> = fc
  .tuple(anyProcess, fc.constantFrom(true, false, false), fc.constantFrom(0, PR_THP_DISABLE_EXCEPT_ADVISED))
  .map(([choice, disable, flags]) => new DisableThp({ ...choice, disable, flags }));

/** Settings. */
export const settings: fc.Arbitrary<Action> = fc.oneof(
  limit('max_ptes_none'),
  limit('max_ptes_swap'),
  limit('max_ptes_shared'),
  { weight: 3, arbitrary: sizes },
  { weight: 2, arbitrary: choice('enabled', ['always', 'always', 'madvise', 'never']) },
  choice('defrag', ['always', 'defer+madvise', 'madvise', 'never']),
  choice('use_zero_page', ['0', '1']),
  choice('khugepaged/defrag', ['0', '1']),
  choice('shrink_underused', ['0', '1']),
  disabling,
);
