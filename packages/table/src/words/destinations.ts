/** Destinations that a call may go on with, as words: `10.0.0.5`, `10.0.0.5-10.0.0.9:80-90`, `[fd00::5]:80`, `:80`. */
import type { AddressSpan, PortSpan } from '../value.js';
import { readAddress } from './address.js';

export interface DestinationWords {
  readonly address: AddressSpan | undefined;
  readonly port: PortSpan | undefined;
}

const MAX_PORT = 65_535;

function readAddresses(text: string): AddressSpan | undefined {
  const [from = '', to = from, more] = text.split('-');
  const [first, last] = [readAddress(from), readAddress(to)];
  if (!first || !last || more !== undefined || first.family !== last.family) return undefined;
  return first.value <= last.value
    ? { family: first.family, first: first.value, last: last.value }
    : undefined;
}

function readPorts(text: string): PortSpan | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  return from !== undefined && first <= last && last <= MAX_PORT ? { first, last } : undefined;
}

/** What the text says; undefined for what is none. An IPv6 address with a port needs brackets. */
export function readDestinations(text: string): DestinationWords | undefined {
  const [, bracketed, plain, ports] = /^(?:\[([^\]]*)\]|([^:]*))(?::([\d-]+))?$/.exec(text) ?? [
    undefined,
    undefined,
    text,
  ];
  const written = bracketed ?? plain ?? '';
  const address = written === '' ? undefined : readAddresses(written);
  const port = ports === undefined ? undefined : readPorts(ports);
  const isWrong = (written !== '' && !address) || (ports !== undefined && !port);
  return isWrong || (!address && !port) ? undefined : { address, port };
}
