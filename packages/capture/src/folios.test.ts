import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ordersInBlock, renumberFrames } from './folios.js';
import { KPF } from './kpage-files.js';

/** H head, T tail, . a page of its own. */
function block(text: string): Int32Array {
  return Int32Array.from(text, (letter) =>
    letter === 'H' ? KPF.compoundHead : letter === 'T' ? KPF.compoundTail : KPF.lru,
  );
}

function orders(text: string): string {
  const out = new Uint8Array(text.length);
  ordersInBlock(block(text), out);
  return [...out].join('');
}

describe('ordersInBlock', () => {
  it('tells folios of different orders apart', () => {
    expect(orders('HTTTHTTT........HTTTTTTT.HHT....')).toBe('22222222000000003333333300110000');
  });

  it('takes a block without a head as a part of something larger', () => {
    expect(orders('TTTTTTTT')).toBe('33333333');
  });

  it('keeps to aligned powers of two while the machine changes', () => {
    expect(orders('HTT.....')).toBe('11000000');
    expect(orders('..HTTT..')).toBe('00110000');
    expect(orders('.T......')).toBe('00000000');
  });
});

describe('renumberFrames', () => {
  /** Folios at naturally aligned places, each with the pages that are mapped. */
  const memory = fc
    .array(
      fc.record({
        skip: fc.integer({ min: 0, max: 20 }),
        order: fc.constantFrom(0, 0, 0, 1, 2, 4, 9),
        mask: fc.integer(),
      }),
      {
        minLength: 1,
        maxLength: 40,
      },
    )
    .map((folios) => {
      const frames: number[] = [];
      const order: number[] = [];
      let next = 12345;
      for (const folio of folios) {
        const size = 2 ** folio.order;
        const start = Math.ceil((next + folio.skip) / size) * size;
        next = start + size;
        for (let i = 0; i < size; i++) {
          if (((folio.mask >>> (i % 32)) & 1) === 0 && i !== size - 1) continue;
          frames.push(start + i);
          order.push(folio.order);
        }
      }
      return { frames: Uint32Array.from(frames), order: Uint8Array.from(order) };
    });

  it('keeps neighbours, distances inside folios, and natural alignment; never joins what was apart', () => {
    fc.assert(
      fc.property(memory, ({ frames, order }) => {
        const { newFrame, frameCount } = renumberFrames(frames, order);
        const head = (frame: number, index: number): number => frame - (frame % 2 ** order[index]);
        for (let i = 0; i < frames.length; i++) {
          expect(newFrame[i] % 2 ** order[i]).toBe(frames[i] % 2 ** order[i]);
          expect(head(newFrame[i], i) + 2 ** order[i]).toBeLessThanOrEqual(frameCount);
          if (i === 0) continue;
          expect(newFrame[i]).toBeGreaterThan(newFrame[i - 1]);
          expect(newFrame[i] - newFrame[i - 1] === 1).toBe(frames[i] - frames[i - 1] === 1);
          const sameFolio = order[i] === order[i - 1] && head(frames[i], i) === head(frames[i - 1], i - 1);
          const stillSame = order[i] === order[i - 1] && head(newFrame[i], i) === head(newFrame[i - 1], i - 1);
          expect(stillSame).toBe(sameFolio);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on where in memory the process happens to be', () => {
    fc.assert(
      fc.property(memory, fc.integer({ min: 0, max: 1000 }), ({ frames, order }, blocks) => {
        const moved = frames.map((frame) => frame + blocks * 512);
        expect([...renumberFrames(moved, order).newFrame]).toEqual([...renumberFrames(frames, order).newFrame]);
      }),
    );
  });

  it('needs little more room than there are pages', () => {
    const scattered = Uint32Array.from({ length: 1000 }, (_, index) => index * 977);
    expect(renumberFrames(scattered, new Uint8Array(1000)).frameCount).toBe(2000);
  });
});
