import { FORMAT } from './layout.js';
import { CONDITIONAL_HOOKS, decodeTraits, encodeTraits } from './traits.js';

test('the bits of a header that is in force keep their meaning: another order of hooks takes another FORMAT', () => {
  expect([FORMAT, ...CONDITIONAL_HOOKS.map(({ name }) => name)]).toEqual([
    17,
    ...['inet4_post_bind', 'inet6_post_bind', 'setsockopt', 'sock_create'],
    ...['inet_ingress', 'inet_egress'],
    ...['inet4_getpeername', 'inet6_getpeername', 'udp4_recvmsg', 'udp6_recvmsg'],
    'socket_accept',
  ]);
});

test('what is written is read, and of 0 nothing is known', () => {
  for (const hooks of [[], ['inet_egress'], CONDITIONAL_HOOKS.map(({ name }) => name)])
    for (const hasParts of [true, false])
      for (const isPrinted of [true, false]) {
        const traits = { hooks: new Set(hooks), hasParts, isPrinted };
        expect(decodeTraits(encodeTraits(traits))).toEqual(traits);
      }
  expect(decodeTraits(0)).toBeUndefined();
});
