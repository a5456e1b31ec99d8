import { CallError, readCall } from './call.js';

const CONTEXT = { groups: [], complete: false };
const call = (device: string) =>
  readCall({ chain: 'CONNECT', proto: 'tcp', dst: '10.0.0.5', dport: '80', device }, CONTEXT);

test('a call has one device, though a rule may name several', () => {
  expect(call('eth0').device).toBeGreaterThan(0n);
  expect(call('eth0').device).not.toBe(call('eth1').device);
  expect(() => call('eth+')).toThrow(CallError);
  expect(() => call('eth+')).toThrow('`eth+` is no device');
  expect(() => call('a/b')).toThrow('`a/b` is no device');
});
