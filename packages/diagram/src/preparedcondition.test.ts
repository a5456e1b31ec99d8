/** Conditions written down once more, held against the same compiled. */
import { ruleCondition } from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { makeConditions } from '../../../test/harness/conditions.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { NONE } from './operation.js';
import { PIECES } from './piece.js';
import { PreparedConditions } from './preparedcondition.js';
import { type DiagramStore, terminalRef } from './store.js';

/** Something that is asked behind all pieces of packets. */
function behind(store: DiagramStore) {
  const row = store.row(PIECES.length);
  row.push(0, NONE);
  row.push(1, terminalRef(5));
  return store.intern(PIECES.length);
}

const rulesOf = tables(4).map((table) => ({
  table,
  rules: table.chains.flatMap(({ rules }) => rules),
}));

test('the same in any store, for any terminal and what is asked behind', () => {
  let kept = 0;
  fc.assert(
    fc.property(rulesOf, ({ table, rules }) => {
      const prepared = new PreparedConditions();
      const first = makeConditions(prepared);
      const second = makeConditions(prepared);
      const other = behind(second.store);
      for (const rule of rules) {
        first.conditions.compileFields({ rule }, table, terminalRef(3));
        const clauses = ruleCondition(rule, table);
        for (const hit of [terminalRef(4), other])
          expect(second.conditions.compileFields({ rule }, table, hit)).toBe(
            second.conditions.compile(clauses, hit),
          );
        kept += prepared.make(rule, second.store, other) === undefined ? 0 : 1;
      }
    }),
    { numRuns: propertyRuns(60) },
  );
  expect(kept).toBeGreaterThan(propertyRuns(60));
});

test('a rule of a path means other groups in another scope', () => {
  fc.assert(
    fc.property(rulesOf, ({ table, rules }) => {
      const { conditions } = makeConditions(new PreparedConditions());
      const changed = {
        ...table,
        groups: table.groups.map((group) => ({ ...group, id: group.id + 1 })),
      };
      for (const scope of [table, changed, table])
        for (const rule of rules)
          expect(conditions.compileFields({ rule }, scope, terminalRef(3))).toBe(
            conditions.compile(ruleCondition(rule, scope), terminalRef(3)),
          );
    }),
    { numRuns: propertyRuns(30) },
  );
});
