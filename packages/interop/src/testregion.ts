/** The tests of a rule as the region of an expectation file. */
import { type Family, readCallAddress, readCallNetwork } from '@sockfilter/table';
import type { Tests } from './classify.js';

/** Fields of a region with their values: one of them must hold, and of those with `!` none. */
export type Region = Readonly<Record<string, readonly string[]>>;

export interface TestRegion {
  readonly region: Region;
  /** The tests say no more than the region does; else it is bigger. */
  readonly exact: boolean;
}

const PLAIN: Readonly<Record<string, string>> = {
  '-p': 'proto',
  '--protocol': 'proto',
  '-s': 'src',
  '--source': 'src',
  '--src': 'src',
  '--src-range': 'src',
  '-d': 'dst',
  '--destination': 'dst',
  '--dst': 'dst',
  '--dst-range': 'dst',
  '--sport': 'sport',
  '--source-port': 'sport',
  '--dport': 'dport',
  '--destination-port': 'dport',
  '--sports': 'sport',
  '--source-ports': 'sport',
  '--dports': 'dport',
  '--destination-ports': 'dport',
  '--uid-owner': 'uid',
  '--gid-owner': 'gid',
  '--path': 'group',
};

/** What an option needs no word of a region for. */
const SILENT = /^(-m|--comment|--syn)$/;

const PROTOCOLS: Readonly<Record<string, string>> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '58': 'ipv6-icmp',
  '136': 'udplite',
  icmpv6: 'ipv6-icmp',
};

const isAddress = (text: string) => {
  const [from = '', to] = text.split('-');
  if (to === undefined) return readCallNetwork(from) !== undefined;
  return readCallAddress(from) !== undefined && readCallAddress(to) !== undefined;
};

/** Values of an option as a region has them; undefined where it has no words for them. */
function valuesOf(key: string, words: readonly string[]): readonly string[] | undefined {
  const [text = ''] = words;
  if (words.length !== 1) return undefined;
  if (key === 'proto') return [PROTOCOLS[text.toLowerCase()] ?? text.toLowerCase()];
  if (key === 'group') return [text];
  if (key === 'src' || key === 'dst') return isAddress(text) ? [text] : undefined;
  const ranges = text.split(',').map((each) => {
    const [from = '', to] = each.split(/[:-]/);
    return to === undefined ? from : `${from || '0'}-${to || '65535'}`;
  });
  return ranges.every((each) => /^\d+(-\d+)?$/.test(each)) ? ranges : undefined;
}

interface Spelled {
  readonly name: string;
  readonly negated: boolean;
  readonly words: readonly string[];
}

/** Words of a rule as its options. */
function optionsOf(words: readonly string[]): readonly Spelled[] {
  const options: { name: string; negated: boolean; words: string[] }[] = [];
  let negated = false;
  for (const each of words) {
    if (each === '!') negated = true;
    else if (/^-{1,2}[a-zA-Z]/.test(each)) {
      options.push({ name: each, negated, words: [] });
      negated = false;
    } else options.at(-1)?.words.push(each);
  }
  return options;
}

/** The region of the tests in both regions; undefined if no call can be in both. */
export function narrow(outer: TestRegion, inner: TestRegion): TestRegion | undefined {
  const region: Record<string, readonly string[]> = { ...outer.region };
  let exact = outer.exact && inner.exact;
  for (const [key, values] of Object.entries(inner.region)) {
    const known = region[key];
    if (known === undefined || known.join() === values.join()) region[key] = values;
    else if (known.length === 1 && values.length === 1 && /^(proto|family)$/.test(key))
      return undefined;
    // A field has one list: the inner one is what is asked last.
    else exact = false;
  }
  return { region, exact };
}

/** `proto` of every protocol. */
const isEvery = (key: string | undefined, words: readonly string[]) =>
  key === 'proto' && /^(0|all)$/.test(words[0] ?? '');

export function regionOfTests(
  { words, device, sources, lost }: Omit<Tests, 'never'>,
  family: Family | undefined,
): TestRegion {
  const own = [...words, ...(device?.words ?? []), ...sources.flatMap((each) => each.words)];
  let whole: TestRegion = {
    region: family === undefined ? {} : { family: [String(family)] },
    exact: lost.length === 0 && device === undefined,
  };
  for (const { name, negated, words: given } of optionsOf(own)) {
    const key = PLAIN[name];
    if (SILENT.test(name) || isEvery(key, given)) continue;
    const values = key === undefined ? undefined : valuesOf(key, given);
    const region =
      key === undefined || values === undefined
        ? {}
        : { [key]: negated ? values.map((each) => `!${each}`) : values };
    const test = { region, exact: values !== undefined };
    whole = narrow(whole, test) ?? { ...whole, exact: false };
  }
  return whole;
}
