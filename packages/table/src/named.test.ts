import fc from 'fast-check';
import { findNamed, placeOfName } from './named.js';

const names = fc.integer({ min: 0, max: 60 }).map((n) => `n${n}`);

test('a name stands where the first of its name does, in a list that grows and in which elements change', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('push', 'find', 'replace'), names), {
    maxLength: 120,
    size: 'max',
  });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 40, size: 'max' }), steps, (first, all) => {
      const list = first.map((name, id) => ({ name, id }));
      for (const [step, name] of all) {
        const at = list.findIndex((each) => each.name === name);
        if (step === 'push') list.push({ name, id: list.length });
        else if (step === 'replace' && at >= 0) list[at] = { name, id: -1 };
        const now = list.findIndex((each) => each.name === name);
        expect(placeOfName(list, name)).toBe(now);
        expect(findNamed(list, name)).toBe(list[now]);
      }
    }),
  );
});
