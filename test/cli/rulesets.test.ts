/** The rule sets of rules/, held to what any pull request is held to. */
import { resolve } from 'node:path';
import { Workplace } from './command.js';

const RULES = resolve('rules');

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

test('check finds nothing that it warns of', () => {
  const { stdout } = place.expectStatus(['check', RULES, '--fail-on', 'warning'], 0);
  expect(stdout).toContain('0 errors, 0 warnings');
});

test('every file has expectations, and they hold', () => {
  const { stdout } = place.expectStatus(['test', RULES], 0);
  expect(stdout).toMatch(
    /^\d{3} expectations, 0 failed; 0 errors, 0 warnings, 0 remarks in 6 files$/m,
  );
});
