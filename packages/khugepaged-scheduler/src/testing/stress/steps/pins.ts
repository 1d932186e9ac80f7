/** Devices that hold pages of processes: long-lived pins, and short references taken without locks. */
import {
  folioHead,
  folioPut,
  gupFastGet,
  nextStamp,
  type Pfn,
  type Pins,
  pinPages,
  unpinPages,
  updateMirrors,
  ZERO_FRAME,
} from '@thplab/mm-model';
import { type Procedure, spend } from '@thplab/sync';
import fc from 'fast-check';
import { type Expectation, must } from '../expectation.js';
import type { Action } from '../step.js';
import { deed, type Job, type World } from '../world.js';
import { anyPage, choosePage, type PageChoice } from './target.js';

const MAX_PINS = 12;

class Pin implements Action {
  private readonly choice: PageChoice & { readonly write: boolean; readonly longterm: boolean };

  constructor(choice: PageChoice & { readonly write: boolean; readonly longterm: boolean }) {
    this.choice = choice;
  }

  prepare(w: World): Job<Pins> | undefined {
    const { m } = w.rig;
    const { write, longterm } = this.choice;
    if (w.expected.pins.length >= MAX_PINS) return undefined;
    const { id, mm, start } = choosePage(w, this.choice);
    const mark = m.machine.nextStamp[0];
    return {
      name: 'pin',
      process: id,
      structural: true,
      run: () => pinPages(m, mm, start, 1, { write, longterm }),
      deeds: ({ frames, error }) =>
        deed((expected) => {
          const [pfn] = frames;
          must(error < 0 || pfn !== undefined, () => 'pinning gave neither a frame nor an error');
          must(!longterm || pfn !== ZERO_FRAME, () => 'the zero page was pinned for long');
          if (write) expected.prefault(id, start, start + 1, mark);
          if (pfn === undefined || pfn === ZERO_FRAME) return;
          expected.pins = [
            ...expected.pins,
            { pfn, process: id, page: start, write, shared: expected.page(id, start)?.shared },
          ];
        }),
    };
  }

  toString(): string {
    const { process, page, write, longterm } = this.choice;
    return `Pin(process ${process}, page ${page}${write ? ', write' : ''}${longterm ? ', longterm' : ''})`;
  }
}

class Unpin implements Action {
  private readonly which: number;

  constructor(which: number) {
    this.which = which;
  }

  prepare(w: World): Job<void> | undefined {
    const pins = w.expected.pins;
    const pin = pins[this.which % Math.max(1, pins.length)];
    if (pin === undefined) return undefined;
    return {
      name: 'unpin',
      process: 0,
      structural: true,
      run: () => unpin(w, pin.pfn as Pfn),
      deeds: () =>
        deed((expected) => {
          const at = expected.pins.findIndex((other) => other.pfn === pin.pfn);
          expected.pins = expected.pins.filter((_, i) => i !== at);
        }),
    };
  }

  toString(): string {
    return `Unpin(${this.which})`;
  }
}

// biome-ignore lint/correctness/useYield: a step of a task, for the processor's batches.
function* unpin(w: World, pfn: Pfn): Procedure<void> {
  unpinPages(w.rig.m, [pfn]);
}

class DeviceWrite implements Action {
  private readonly which: number;

  constructor(which: number) {
    this.which = which;
  }

  prepare(w: World): Job<number> | undefined {
    const { m } = w.rig;
    const writable = w.expected.pins.filter((pin) => pin.write);
    const pin = writable[this.which % Math.max(1, writable.length)];
    if (pin === undefined) return undefined;
    return {
      name: 'device',
      process: pin.process,
      structural: false,
      // biome-ignore lint/correctness/useYield: a device asks nobody.
      *run() {
        m.frame.stamp[pin.pfn] = nextStamp(m);
        return m.frame.stamp[pin.pfn];
      },
      deeds: (stamp) => [{ stamp, page: pin.page, settle: (expected) => settleDeviceWrite(expected, pin.pfn, stamp) }],
    };
  }

  toString(): string {
    return `DeviceWrite(${this.which})`;
  }
}

function settleDeviceWrite(expected: Expectation, pfn: number, stamp: number): void {
  const now = expected.pins.find((pin) => pin.pfn === pfn);
  if (now?.shared !== undefined) expected.objects.get(now.shared.object)?.set(now.shared.index, [stamp]);
  else if (now !== undefined && now.process !== 0) {
    expected.change(now.process, now.page, now.page + 1, (facts) => expected.setContent(facts, stamp));
  }
}

/** A reference taken without a lock, and given back a little later: what makes a collapse give up. */
class Glance implements Action {
  private readonly choice: PageChoice & { readonly ns: number };

  constructor(choice: PageChoice & { readonly ns: number }) {
    this.choice = choice;
  }

  prepare(w: World): Job<void> {
    const { m } = w.rig;
    const { id, mm, start } = choosePage(w, this.choice);
    const { ns } = this.choice;
    return {
      name: 'gup fast',
      process: id,
      structural: false,
      *run() {
        const pfn = yield* gupFastGet(m, mm, start);
        if (pfn === 0) return;
        const held = { mm, page: start, pfn };
        w.glances.add(held);
        yield spend(ns);
        w.glances.delete(held);
        const head = folioHead(m, pfn);
        const last = m.frame.refcount[head] === 1;
        folioPut(m, head);
        if (!last) updateMirrors(m, head);
      },
      deeds: () => [],
    };
  }

  toString(): string {
    return `Glance(process ${this.choice.process}, page ${this.choice.page}, ${this.choice.ns} ns)`;
  }
}

/** Pins, unpins, and what devices do meanwhile. */
export const pins: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(anyPage, fc.boolean(), fc.boolean())
      .map(([choice, write, longterm]) => new Pin({ ...choice, write, longterm })),
  },
  { weight: 3, arbitrary: fc.nat(11).map((which) => new Unpin(which)) },
  { weight: 2, arbitrary: fc.nat(11).map((which) => new DeviceWrite(which)) },
  { weight: 2, arbitrary: fc.tuple(anyPage, fc.nat(20_000)).map(([choice, ns]) => new Glance({ ...choice, ns })) },
);
