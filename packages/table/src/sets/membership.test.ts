/** Exceptions: the boxes of a set are what its elements say of each packet, one by one. */
import fc from 'fast-check';
import { PACKET } from '../../../../test/arbitrary/ordinary.js';
import { contains, type Family, fieldValue, type NamedSet, type SetElement } from '../index.js';
import { isMember, memberBoxes } from './membership.js';

const LOW = 4;

/** Networks of the last four bits, which lie in each other in all ways. */
const elements = (hasPort: boolean, family: Family) =>
  fc.uniqueArray(
    fc
      .record({
        bits: fc.nat({ max: LOW }),
        value: fc.bigInt({ min: 0n, max: 15n }),
        port: fc.constantFrom(1, 2),
        protocol: fc.constantFrom(6, 17),
        nomatch: fc.boolean(),
      })
      .map(({ bits, value, port, protocol, nomatch }): SetElement => {
        const rest = BigInt(LOW - bits);
        return {
          address: (value >> rest) << rest,
          prefix: (family === 4 ? 32 : 128) - LOW + bits,
          protocol: hasPort ? protocol : 0,
          port: hasPort ? port : 0,
          timeout: undefined,
          nomatch,
          packets: undefined,
          comment: undefined,
        };
      }),
    {
      maxLength: 9,
      selector: (each) => `${each.address} ${each.prefix} ${each.protocol} ${each.port}`,
    },
  );

const sets = fc.tuple(fc.constantFrom<Family>(4, 6), fc.boolean()).chain(([family, hasPort]) =>
  elements(hasPort, family).map(
    (some): NamedSet => ({
      name: 's',
      type: hasPort ? 'net,port' : 'net',
      family,
      timeout: undefined,
      maxelem: 99,
      counters: false,
      comments: false,
      elements: some,
    }),
  ),
);

test('the boxes of a set with exceptions hold the packets of which the longest network says so', () => {
  fc.assert(
    fc.property(sets, fc.boolean(), (set, exceptions) => {
      const asked = { sides: ['dst', 'dst'] as const, exceptions };
      const boxes = memberBoxes(set, asked);
      for (let address = 0n; address < 17n; address++)
        for (const destinationPort of [1, 2])
          for (const protocol of [6, 17]) {
            const { family } = set;
            const packet = { ...PACKET, family, destination: address, destinationPort, protocol };
            const isBoxed = boxes.some((box) =>
              box.every(
                (each) => contains(each.set, fieldValue(packet, each.field)) !== each.negated,
              ),
            );
            expect(isBoxed).toBe(isMember(set, asked, packet));
          }
    }),
  );
});
