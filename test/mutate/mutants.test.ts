/** Faults that `npm run mutate` puts into sources. */
interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

// Plain JavaScript, which node runs as it is.
const { applyMutant, mutantsOf } = jest.requireActual<{
  applyMutant(text: string, mutant: Mutant): string;
  mutantsOf(path: string, text: string): readonly Mutant[];
}>('./mutants.js');

/** The texts with one fault each. */
function faulty(text: string): readonly string[] {
  return mutantsOf('x.ts', text).map((mutant) => applyMutant(text, mutant).replace(/ +/g, ' '));
}

test.each([
  ['const x = a < 3n;', ['const x = a <= 3n;', 'const x = a < 4n ;']],
  ['const x = a && !b;', ['const x = a || !b;', 'const x = a && b ;']],
  ['if (a) f();', ['if ( true ) f();', 'if ( false ) f();', 'if (a) ; ']],
  ['const x = a ? b : c;', ['const x = b ;', 'const x = c ;']],
  ['const x = all.some(f);', ['const x = all. every (f);']],
  // What says no answer has no fault.
  ['type X = 1; import { a } from "b"; if (a) throw new Error(f(1 + 1));', 2],
  ["const x = 'a' + b;", 0],
])('%s', (text, expected) => {
  const found = faulty(text);
  if (typeof expected === 'number') expect(found).toHaveLength(expected);
  else expect(found.map((each) => each.trim())).toEqual(expected.map((each) => each.trim()));
});
