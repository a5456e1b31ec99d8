/** The destinations that a target has for a call: addresses, ports, or each address with each port. */
import type { Luck } from './luck.js';
import { type Change, destinationPart, type Rewriting } from './rewriting.js';
import type { AddressSpan, PortSpan } from './value.js';

export interface Destinations {
  readonly address?: AddressSpan;
  readonly port?: PortSpan;
  /** Each is drawn anew; of ports that is so anyway, and it is kept as it was written. */
  readonly random?: true;
  /** The same caller gets the same. */
  readonly persistent?: true;
}

const howMany = (span: AddressSpan | PortSpan | undefined) =>
  span ? Number(BigInt(span.last) - BigInt(span.first)) + 1 : 1;

/** How many destinations there are. */
export function destinationCount({ address, port }: Destinations): number {
  return howMany(address) * howMany(port);
}

/** What is drawn to choose one. */
function luckOf({ persistent }: Destinations): Luck {
  return persistent ? 'persistence' : 'chance';
}

/** What becomes of the destination. */
export function destinationsRewriting(destinations: Destinations): Rewriting {
  const { address, port } = destinations;
  const of = destinationCount(destinations);
  const change = (span: AddressSpan | PortSpan, step: number): Change => {
    const count = howMany(span);
    const flip = BigInt(span.first);
    return count === 1
      ? { keep: 0n, flip }
      : { keep: 0n, flip, among: { by: luckOf(destinations), of, step, count } };
  };
  return {
    ...(address && { [destinationPart(address.family)]: change(address, howMany(port)) }),
    ...(port && { destinationPort: change(port, 1) }),
  };
}
