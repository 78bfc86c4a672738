import { describe, expect, it } from 'vitest';
import { RowStore } from '../../projections/store/row-store.ts';
import { type Ref, table } from '../../projections/store/table.ts';
import { bigint, text } from '../../services/read-models/column.ts';
import { readModel } from '../../services/read-models/read-model.ts';

const cats = table(readModel('cats', { id: bigint, owner: bigint, name: text }, ['id']), { maxKept: 3 });
const catsOf = cats.listBy(['owner']);

const tom = { id: 1, owner: 7, name: 'Tom' };
const kit = { id: 2, owner: 7, name: 'Kit' };

/** A store over these rows, which counts how often it was asked for something. */
function storeOver(rows: readonly (typeof tom)[]) {
  const store = new RowStore();
  let loads = 0;
  const open = (...refs: Ref[]) => {
    for (const { keep, statement } of store.missing(refs)) {
      loads++;
      const column = statement.name.includes('by owner') ? 'owner' : 'id';
      const [wanted] = statement.values;
      const keys = typeof wanted === 'object' && wanted ? wanted.elements : [];
      keep(rows.filter((row) => keys.some((key) => key === row[column])));
    }
    store.open(refs);
  };
  return { store, open, loads: () => loads };
}

describe('the rows in memory', () => {
  it('give a row of the table, and say that a row does not exist', () => {
    const { store, open } = storeOver([tom]);
    open(cats.at(1), cats.at(2));
    expect(store.get(cats.at(1))).toEqual(tom);
    expect(store.get(cats.at(2))).toBeUndefined();
  });

  it('refuse a read that the event did not declare, even if the row is in memory', () => {
    const { store, open } = storeOver([tom, kit]);
    open(cats.at(1), catsOf(7));
    open(cats.at(2));
    expect(() => store.get(cats.at(1))).toThrow('not declared');
    expect(() => store.list(catsOf(7))).toThrow('not declared');
    expect(() => store.get(cats.at(9))).toThrow('not declared');
    expect(store.get(cats.at(2))).toEqual(kit);
  });

  it('let an event read each row of a list that it declared', () => {
    const { store, open } = storeOver([tom, kit]);
    open(catsOf(7));
    expect(store.get(cats.at(2))).toEqual(kit);
  });

  it('are loaded once', () => {
    const { open, loads } = storeOver([tom]);
    open(cats.at(1), cats.at(1), catsOf(7));
    open(cats.at(1), catsOf(7));
    expect(loads()).toBe(2);
  });

  it('show changes at once, also in lists', () => {
    const { store, open } = storeOver([tom, kit]);
    open(catsOf(7), catsOf(8));
    store.put(cats, { ...tom, owner: 8 });
    store.put(cats, { id: 3, owner: 7, name: 'New' });
    store.delete(cats.at(2));
    expect(store.list(catsOf(7)).map(({ name }) => name)).toEqual(['New']);
    expect(store.list(catsOf(8)).map(({ name }) => name)).toEqual(['Tom']);
    expect(store.get(cats.at(2))).toBeUndefined();
  });

  it('are in their lists before they are committed, when the table still lacks them', () => {
    const { store, open } = storeOver([tom, kit]);
    open(cats.at(1), cats.at(2), cats.at(3));
    store.put(cats, { ...tom, owner: 8 });
    store.put(cats, { id: 3, owner: 7, name: 'New' });
    store.writes();
    open(cats.at(2));
    store.delete(cats.at(2));
    open(catsOf(7), catsOf(8));
    expect(store.list(catsOf(7)).map(({ name }) => name)).toEqual(['New']);
    expect(store.list(catsOf(8)).map(({ name }) => name)).toEqual(['Tom']);
  });

  it('write several changes of a row as one', () => {
    const { store, open } = storeOver([tom, kit]);
    open(cats.at(1));
    store.put(cats, { ...tom, name: 'a' });
    store.put(cats, { ...tom, name: 'b' });
    store.delete(cats.at(2));
    const writes = store.writes();
    expect(writes.map(({ name }) => name)).toEqual(['write cats 1', 'delete cats 1']);
    expect(writes[0]?.values).toMatchObject([{ elements: [1] }, { elements: [7] }, { elements: ['b'] }]);
    store.written();
    expect(store.writes()).toEqual([]);
  });

  it('are inserted in a table that only grows, and updated if they exist', () => {
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
    expect(written()).toEqual(['insert log 1']);
    store.put(log, { id: 1, name: 'c' });
    store.put(log, { id: 2, name: 'd' });
    expect(written()).toEqual(['insert log 1', 'write log 1']);
  });

  it('are dropped when unused for long, and never a part of a list', () => {
    const { store, open, loads } = storeOver([tom, kit]);
    open(catsOf(7));
    for (let id = 10; id < 30; id++) {
      open(cats.at(id));
      store.put(cats, { id, owner: 9, name: 'x' });
      store.writes();
      store.written();
    }
    const before = loads();
    open(catsOf(7), cats.at(29));
    expect(loads()).toBe(before + 1);
    expect(store.list(catsOf(7))).toEqual([tom, kit]);
    expect(store.get(cats.at(29))).toMatchObject({ name: 'x' });
  });
});
