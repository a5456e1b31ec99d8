import { LineError, readLine } from './words.js';

const KEYS = ['dst', 'comm'] as const;
const read = (text: string) => {
  const { first, values } = readLine(text, 'explain', KEYS);
  return [first, Object.fromEntries(values)];
};

test.each([
  ['CONNECT --dst 10.0.0.5:80', ['CONNECT', { dst: ['10.0.0.5:80'] }]],
  [`CONNECT --dst=a --comm 'a b' --dst "c"`, ['CONNECT', { dst: ['a', 'c'], comm: ['a b'] }]],
  ['sockfilter --file x.rules explain BIND --dst 1.2.3.4', ['BIND', { dst: ['1.2.3.4'] }]],
  ['--dst x', ['', { dst: ['x'] }]],
  ['', ['', {}]],
])('reads %s', (text, words) => {
  expect(read(text)).toEqual(words);
});

test.each([
  ['CONNECT --dst', '`--dst` needs a value'],
  ['CONNECT --dts x', 'unknown option `--dts`'],
  ['CONNECT 10.0.0.5', '`10.0.0.5` is no option'],
  ['CONNECT --dst "x', 'no closing double quote'],
])('refuses %s', (text, message) => {
  expect(() => read(text)).toThrow(LineError);
  expect(() => read(text)).toThrow(message);
});
