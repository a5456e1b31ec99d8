import { closing } from './closing.js';

test('closes what is open, once, after the body and also on a throw', () => {
  const said: string[] = [];
  const resource = { close: () => said.push('closed') };
  expect(closing(resource, (same) => said.push(same === resource ? 'used' : 'other'))).toBe(1);
  const fault = () => {
    throw new TypeError('a fault');
  };
  expect(() => closing(resource, fault)).toThrow('a fault');
  expect(said).toEqual(['used', 'closed', 'closed']);
  expect(closing(undefined, (none) => none)).toBeUndefined();
});
