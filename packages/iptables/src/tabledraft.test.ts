import { NO_NAMES } from '@sockfilter/language';
import {
  addGroup,
  createSet,
  EMPTY_TABLE,
  newChain,
  type Table,
  TableError,
  zero,
} from '@sockfilter/table';
import fc from 'fast-check';
import { parseSave } from './index.js';
import { TableDraft } from './tabledraft.js';

const { table: WITH_SETS } = parseSave(
  ['*socket', ...Array.from({ length: 30 }, (_, n) => `create s${n} hash:ip`), 'COMMIT', ''].join(
    '\n',
  ),
  'sets',
  { names: NO_NAMES },
);

const kinds = fc.constantFrom('group', 'set', 'chain', 'policy', 'zero', 'look');

/** What it does, or what is said against it. */
function outcome<T>(body: () => T): T | string {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return error.message;
  }
}

test('what is added in place makes the table that edits make, and none that was looked at changes', () => {
  const steps = fc.array(fc.tuple(kinds, fc.nat(29)), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, (all) => {
      const draft = new TableDraft(EMPTY_TABLE);
      const looked: [Table, string][] = [];
      const text = (table: Table) =>
        JSON.stringify(table, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
      let table: Table = EMPTY_TABLE;
      const both = (edit: (table: Table) => Table, add: () => void) => {
        const edited = outcome(() => edit(table));
        const added = outcome(add);
        expect(typeof added === 'string' ? added : undefined).toBe(
          typeof edited === 'string' ? edited : undefined,
        );
        if (typeof edited !== 'string') table = edited;
      };
      for (const [kind, n] of all) {
        const group = { name: `g${n}`, id: 1 + (n % 20), path: `/p${n % 25}` };
        const set = WITH_SETS.sets[n];
        const at = n % table.chains.length;
        const known = table.chains[at];
        if (kind === 'group')
          both(
            (to) => addGroup(to, group),
            () => draft.addGroup(group),
          );
        else if (kind === 'set' && set)
          both(
            (to) => createSet(to, set),
            () => draft.addSet(set),
          );
        else if (kind === 'chain')
          both(
            (to) => newChain(to, `c${n}`),
            () => draft.addChain(`c${n}`),
          );
        else if (kind === 'policy' && known) {
          const changed = { ...known, packets: BigInt(n) };
          table = { ...table, chains: table.chains.with(at, changed) };
          draft.putChain(changed);
        } else if (kind === 'zero') {
          table = zero(table);
          draft.become(zero(draft.table));
        } else looked.push([draft.table, text(draft.table)]);
        expect(text(draft.growing)).toBe(text(table));
      }
      for (const [seen, was] of looked) expect(text(seen)).toBe(was);
      expect(EMPTY_TABLE.groups).toEqual([]);
    }),
  );
});
