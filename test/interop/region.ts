/** Regions of expectation files held against single calls, by a reading of their own. */
import type { Region } from '@sockfilter/policy';
import { type Packet, protocolName, readCallAddress, readCallNetwork } from '@sockfilter/table';

const NUMBERS: Readonly<Record<string, (call: Packet) => number>> = {
  sport: (call) => call.sourcePort,
  dport: (call) => call.destinationPort,
  family: (call) => call.family,
  group: (call) => call.group,
};

function isValue(key: string, text: string, call: Packet): boolean {
  if (key === 'chain') return text === call.chain;
  if (key === 'proto') return text === protocolName(call.protocol);
  const [from = '', to = from] = text.split('-');
  const number = NUMBERS[key];
  if (number) return Number(from) <= number(call) && number(call) <= Number(to);
  if (key !== 'src' && key !== 'dst') throw new Error(`no field ${key}`);
  const value = key === 'src' ? call.source : call.destination;
  const network = to === from ? readCallNetwork(from) : undefined;
  if (network) return network.family === call.family && (value & network.mask) === network.value;
  return (
    (readCallAddress(from)?.value ?? 0n) <= value && value <= (readCallAddress(to)?.value ?? 0n)
  );
}

/** Whether the call is one of the region's. */
export function isIn(region: Region, call: Packet): boolean {
  return Object.entries(region).every(([key, given]) => {
    const texts = [given].flat().map(String);
    const not = texts.filter((text) => text.startsWith('!'));
    const plain = texts.filter((text) => !text.startsWith('!'));
    return (
      (plain.length === 0 || plain.some((text) => isValue(key, text, call))) &&
      !not.some((text) => isValue(key, text.slice(1), call))
    );
  });
}
