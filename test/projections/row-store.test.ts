import { describe, expect, it } from 'vitest';
import { RowStore } from '../../projections/store/row-store.ts';
import { type Ref, table } from '../../projections/store/table.ts';
import { bigint, text } from '../../services/read-models/column.ts';
import { readModel } from '../../services/read-models/read-model.ts';

const cats = table(readModel('cats', { id: bigint, owner: bigint, name: text }, ['id']), { kept: 3 });
const catsOf = cats.listBy(['owner']);

const tom = { id: 1, owner: 7, name: 'Tom' };
const kit = { id: 2, owner: 7, name: 'Kit' };

/** A store over these rows, which counts how often it was asked for something. */
function storeOver(rows: readonly (typeof tom)[]) {
  const store = new RowStore();
  let loads = 0;
  const open = (...refs: Ref[]) => {
    for (const { take, statement } of store.missing(refs)) {
      loads++;
      const column = statement.name.endsWith('by owner') ? 'owner' : 'id';
      const [wanted] = statement.values;
      const keys = typeof wanted === 'object' && wanted ? wanted.elements : [];
      take(rows.filter((row) => keys.some((key) => key === row[column])));
    }
    store.open(refs);
  };
  return { store, open, loads: () => loads };
}

describe('the rows in memory', () => {
  it('answer what stands in the table, and that a row does not stand', () => {
    const { store, open } = storeOver([tom]);
    open(cats.at(1), cats.at(2));
    expect(store.get(cats.at(1))).toEqual(tom);
    expect(store.get(cats.at(2))).toBeUndefined();
  });

  it('refuse what an event did not declare, also where it is in memory', () => {
    const { store, open } = storeOver([tom, kit]);
    open(cats.at(1), catsOf(7));
    open(cats.at(2));
    expect(() => store.get(cats.at(1))).toThrow('not declared');
    expect(() => store.list(catsOf(7))).toThrow('not declared');
    expect(() => store.get(cats.at(9))).toThrow('not declared');
    expect(store.get(cats.at(2))).toEqual(kit);
  });

  it('let an event read each row of a list it declared', () => {
    const { store, open } = storeOver([tom, kit]);
    open(catsOf(7));
    expect(store.get(cats.at(2))).toEqual(kit);
  });

  it('are asked for once', () => {
    const { open, loads } = storeOver([tom]);
    open(cats.at(1), cats.at(1), catsOf(7));
    open(cats.at(1), catsOf(7));
    expect(loads()).toBe(2);
  });

  it('show changes at once, in the lists too', () => {
    const { store, open } = storeOver([tom, kit]);
    open(catsOf(7), catsOf(8));
    store.put(cats, { ...tom, owner: 8 });
    store.put(cats, { id: 3, owner: 7, name: 'New' });
    store.delete(cats.at(2));
    expect(store.list(catsOf(7)).map(({ name }) => name)).toEqual(['New']);
    expect(store.list(catsOf(8)).map(({ name }) => name)).toEqual(['Tom']);
    expect(store.get(cats.at(2))).toBeUndefined();
  });

  it('write several changes of a row as one', () => {
    const { store, open } = storeOver([tom, kit]);
    open(cats.at(1));
    store.put(cats, { ...tom, name: 'a' });
    store.put(cats, { ...tom, name: 'b' });
    store.delete(cats.at(2));
    const writes = store.writes();
    expect(writes.map(({ name }) => name)).toEqual(['write cats', 'delete cats']);
    expect(writes[0]?.values).toEqual([
      { of: 'int8', elements: [1] },
      { of: 'int8', elements: [7] },
      { of: 'text', elements: ['b'] },
    ]);
    store.written();
    expect(store.writes()).toEqual([]);
  });

  it('insert rows of a table that only grows, and change those that stand', () => {
    const log = table(readModel('log', { id: bigint, name: text }, ['id']), { grows: true });
    const { store, open } = storeOver([]);
    const written = () => {
      const names = store.writes().map(({ name }) => name);
      store.written();
      return names;
    };
    open();
    store.put(log, { id: 1, name: 'a' });
    store.put(log, { id: 1, name: 'b' });
    expect(written()).toEqual(['insert log']);
    store.put(log, { id: 1, name: 'c' });
    store.put(log, { id: 2, name: 'd' });
    expect(written()).toEqual(['insert log', 'write log']);
  });

  it('forget what was not touched for long, and never a list in part', () => {
    const { store, open, loads } = storeOver([tom, kit]);
    open(catsOf(7));
    for (let id = 10; id < 30; id++) {
      open(cats.at(id));
      store.put(cats, { id, owner: 9, name: 'x' });
      store.written();
    }
    const before = loads();
    open(catsOf(7), cats.at(29));
    expect(loads()).toBe(before + 1);
    expect(store.list(catsOf(7))).toEqual([tom, kit]);
    expect(store.get(cats.at(29))).toMatchObject({ name: 'x' });
  });
});
