import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArenaError } from './errors.js';
import { IntrusiveList } from './list.js';

const OWNERS = 3;
const ROWS = 9;

function lists() {
  const columns = {
    first: new Uint32Array(OWNERS),
    last: new Uint32Array(OWNERS),
    next: new Uint32Array(ROWS),
    prev: new Uint32Array(ROWS),
  };
  return { columns, list: new IntrusiveList(columns) };
}

/** One step on real lists and on arrays; both must agree afterwards. */
function apply(list: IntrusiveList, model: number[][], action: string, owner: number, row: number): void {
  const own = model[owner] as number[];
  const at = own.indexOf(row);
  const onNone = model.every((rows) => !rows.includes(row));
  if (action === 'popFront') {
    expect(list.popFront(owner)).toBe(own.shift() ?? 0);
  } else if (action === 'remove' && at !== -1) {
    list.remove(owner, row);
    own.splice(at, 1);
  } else if (action === 'pushBack' && onNone) {
    list.pushBack(owner, row);
    own.push(row);
  } else if (action === 'pushFront' && onNone) {
    list.pushFront(owner, row);
    own.unshift(row);
  } else if (action === 'insertAfter' && onNone) {
    const place = row % (own.length + 1);
    list.insertAfter(owner, place === 0 ? 0 : own[place - 1], row);
    own.splice(place, 0, row);
  }
}

describe('lists in columns', () => {
  it('do what arrays do, several owners on one pair of link columns', () => {
    const step = fc.tuple(
      fc.constantFrom('pushBack', 'pushFront', 'insertAfter', 'remove', 'popFront'),
      fc.nat({ max: OWNERS - 1 }),
      fc.integer({ min: 1, max: ROWS - 1 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { list } = lists();
        const model: number[][] = Array.from({ length: OWNERS }, () => []);
        for (const [action, owner, row] of steps) {
          apply(list, model, action, owner, row);
          model.forEach((rows, i) => {
            expect([...list.rows(i)]).toEqual(rows);
            const back: number[] = [];
            for (let at = list.last(i); at !== 0; at = list.prev(at)) back.unshift(at);
            expect(back).toEqual(rows);
            expect([list.first(i), list.last(i), list.isEmpty(i)]).toEqual([
              rows[0] ?? 0,
              rows.at(-1) ?? 0,
              rows.length === 0,
            ]);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('let the row just given be removed while they are gone through', () => {
    const { list } = lists();
    for (let row = 1; row < 7; row++) list.pushBack(0, row);
    for (const row of list.rows(0)) if (row % 2 === 0) list.remove(0, row);
    expect([...list.rows(0)]).toEqual([1, 3, 5]);
  });

  it('clear the links of a row that leaves', () => {
    const { columns, list } = lists();
    for (const row of [1, 2, 3]) list.pushBack(1, row);
    list.remove(1, 2);
    expect([columns.next[2], columns.prev[2]]).toEqual([0, 0]);
  });

  it('refuse to remove a row that is not there, and stay as they were', () => {
    const { columns, list } = lists();
    for (const row of [1, 2, 3]) list.pushBack(1, row);
    list.pushBack(2, 4);
    expect(() => list.remove(1, 5)).toThrow('row 5 is not on the list of owner 1');
    expect(() => list.remove(1, 4)).toThrow(ArenaError);
    expect(() => list.remove(0, 1)).toThrow(ArenaError);
    expect([[...list.rows(1)], [...list.rows(2)]]).toEqual([[1, 2, 3], [4]]);
    columns.prev[2] = 3;
    expect(() => list.remove(1, 1)).toThrow('row 1 is not on the list of owner 1');
  });
});
