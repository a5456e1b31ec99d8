/**
 * What a packet filter means, as invariants of an expectation file, read from the original and not from what it was
 * translated to: at most what its accepting rules name is accepted; what a rule refuses before any other could decide
 * is never accepted; and what one accepts so always is. The loopback device is the loopback addresses here too: what else
 * it has is not told apart.
 */
import { type BuiltinChain, CHAINS, callProtocol, contains, protocolName } from '@sockfilter/table';
import { classify, opensConnections } from './classify.js';
import type { Invariant, Scope } from './draft.js';
import { areDisjoint } from './interval.js';
import {
  type ChainMap,
  type ForeignRule,
  PASSING,
  type PacketFilter,
  stagesOf,
} from './packetfilter.js';
import { narrow, type Region, regionOfTests, type TestRegion } from './testregion.js';

/** Beyond so many ways through the chains nothing is stated. */
const MAX_LEAVES = 20_000;

/** Comparisons of what is decided with what is decided before. */
const MAX_COMPARISONS = 2_000_000;

/** The calls that reach a rule. */
interface Reaching extends TestRegion {
  /** Those that the translation of it may decide, which are more where a test is left out. */
  readonly wide: Region;
}

interface Leaf extends Reaching {
  readonly verdict: 'accept' | 'refuse' | 'leave';
}

class Reader {
  readonly leaves: Leaf[] = [];
  readonly #filter: PacketFilter;
  readonly #inward: boolean;
  readonly #chain: BuiltinChain;

  constructor(filter: PacketFilter, chain: BuiltinChain) {
    this.#filter = filter;
    this.#chain = chain;
    this.#inward = CHAINS[chain].ours === 'destination';
  }

  /** False where there are too many ways. */
  read(key: string, within: Reaching, path: readonly string[]): boolean {
    const chain = this.#filter.chains.get(key);
    if (!chain || path.includes(key)) return true;
    for (const rule of chain.rules) {
      if (this.leaves.length > MAX_LEAVES) return false;
      const inner = this.#narrow(rule, within);
      if (inner && !this.#rule(rule, inner, [...path, key])) return false;
    }
    return true;
  }

  #narrow(rule: ForeignRule, within: Reaching): Reaching | undefined {
    const { untracked, findsSockets } = this.#filter;
    const [inward, connects] = [this.#inward, opensConnections(this.#chain)];
    const tests = classify(rule, { inward, connects, untracked, findsSockets });
    if (tests.never !== undefined) return undefined;
    const { sources, device } = tests;
    const region = narrow(within, regionOfTests(tests, rule.family));
    const certain = {
      ...tests,
      sources: this.#inward ? sources : [],
      device: device?.more ? device : undefined,
    };
    const wide = narrow({ region: within.wide, exact: true }, regionOfTests(certain, rule.family));
    if (!region || !wide || !isPossible(this.#chain, region.region)) return undefined;
    // A socket that is not bound has no source when it calls.
    const exact = region.exact && (this.#inward || sources.length === 0);
    return { ...region, exact, wide: wide.region };
  }

  #rule({ target }: ForeignRule, inner: Reaching, path: readonly string[]): boolean {
    if (!target || PASSING.test(target.name)) return true;
    if (target.chain === undefined) {
      this.#leaf(inner, target.name, path);
      return true;
    }
    const isRead = this.read(target.chain, inner, path);
    if (!target.goto) return isRead;
    // Where it is not certain that the goto is taken, the translation refuses.
    if (!inner.exact) this.leaves.push({ ...inner, verdict: 'refuse' });
    this.#leaf(inner, 'RETURN', path);
    return isRead;
  }

  #leaf(inner: Reaching, target: string, path: readonly string[]): void {
    // What returns from a base chain has its policy.
    const [base = ''] = path;
    const policy = this.#filter.chains.get(base)?.policy ?? 'ACCEPT';
    const decides = target === 'RETURN' && path.length === 1 ? policy : target;
    const verdict = decides === 'ACCEPT' ? 'accept' : decides === 'RETURN' ? 'leave' : 'refuse';
    // A group may be in no rule if the rule is left out.
    const region = inner.exact ? inner.region : without(inner.region, ['group']);
    this.leaves.push({ ...inner, region, verdict });
  }
}

function without(region: Region, keys: readonly string[]): Region {
  return Object.fromEntries(Object.entries(region).filter(([key]) => !keys.includes(key)));
}

/** Whether the chain has calls of the protocol and the family. */
function isPossible(chain: BuiltinChain, { proto = [], family = [] }: Region): boolean {
  const [name] = proto;
  if (name === undefined || name.startsWith('!')) return true;
  const number = callProtocol(name);
  const bound = CHAINS[chain].bounds.protocol;
  if (number === undefined || (bound && !contains(bound.set, BigInt(number)))) return false;
  const icmp = protocolName(number);
  return !(family[0] === '4' && icmp === 'ipv6-icmp') && !(family[0] === '6' && icmp === 'icmp');
}

/** Whether the region is all calls of a family, or of the scope. */
const isWhole = (region: Region, base: Region) =>
  Object.keys(without(region, ['family', ...Object.keys(base)])).length === 0;

/** Those of the leaves that decide whatever the others say before them, exactly. */
function firstDeciders(
  leaves: readonly Leaf[],
  verdict: Leaf['verdict'],
  base: Region,
): readonly Region[] {
  const before: Region[] = [];
  const found: Region[] = [];
  let comparisons = 0;
  for (const leaf of leaves) {
    if (leaf.verdict !== verdict) before.push(leaf.verdict === 'accept' ? leaf.region : leaf.wide);
    else if (leaf.exact && !isWhole(leaf.region, base)) {
      comparisons += before.length;
      if (comparisons > MAX_COMPARISONS) break;
      if (before.every((other) => areDisjoint(leaf.region, other))) found.push(leaf.region);
    }
  }
  return found;
}

function plain(region: Region): Invariant {
  return Object.fromEntries(
    Object.entries(region).map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  );
}

/** Regions in their order, each once. */
function unique(regions: readonly Region[]): readonly Invariant[] {
  return [...new Map(regions.map((each) => [JSON.stringify(each), plain(each)])).values()];
}

class Stage {
  readonly #filter: PacketFilter;
  readonly #key: string;
  readonly #chain: BuiltinChain;
  /** Whose calls. */
  readonly #base: Region;

  constructor(filter: PacketFilter, key: string, chain: BuiltinChain, base: Region) {
    this.#filter = filter;
    this.#key = key;
    this.#chain = chain;
    this.#base = base;
  }

  /** `isOnly`: what it accepts no other stage can refuse. */
  state(isOnly: boolean): readonly Invariant[] {
    const reader = new Reader(this.#filter, this.#chain);
    const base = this.#base;
    if (!reader.read(this.#key, { region: base, wide: base, exact: true }, [])) return [];
    const { leaves } = reader;
    return [
      ...this.#only(leaves),
      ...this.#first('never', 'refuses', firstDeciders(leaves, 'refuse', base)),
      ...(isOnly ? this.#first('always', 'accepts', firstDeciders(leaves, 'accept', base)) : []),
    ];
  }

  get #where(): string {
    const { table = 'filter', name = this.#key } = this.#filter.chains.get(this.#key) ?? {};
    return `${name} of the table ${table}`;
  }

  #only(leaves: readonly Leaf[]): readonly Invariant[] {
    const { policy, family } = this.#filter.chains.get(this.#key) ?? {};
    const base = this.#base;
    const own = family === undefined ? {} : { family: String(family) };
    const within = { chain: this.#chain, ...plain(base), ...own };
    const accepted = leaves.filter(({ verdict }) => verdict === 'accept');
    const isClosed = policy === 'DROP' || refusesTheRest(leaves, base);
    if (!isClosed || accepted.some(({ region }) => isWhole(region, base))) return [];
    const [chain, where] = [this.#chain, this.#where];
    if (accepted.length === 0)
      return [{ name: `${chain}: ${where} accepts nothing`, never: 'accept', in: within }];
    const regions = unique(accepted.map(({ region }) => without(region, Object.keys(base))));
    const name = `${chain}: nothing but what ${where} accepts`;
    return [{ name, only: { in: within, accept: regions } }];
  }

  #first(
    invariant: 'never' | 'always',
    does: string,
    regions: readonly Region[],
  ): readonly Invariant[] {
    if (regions.length === 0) return [];
    const chain = this.#chain;
    const within = unique(regions).map((each) => ({ chain, ...each }));
    return [
      { name: `${chain}: what ${this.#where} ${does} first`, [invariant]: 'accept', in: within },
    ];
  }
}

/** A rule without tests at the end does what a policy does. */
function refusesTheRest(leaves: readonly Leaf[], base: Region): boolean {
  const last = leaves.at(-1);
  return last?.verdict === 'refuse' && last.exact && isWhole(last.region, base);
}

/** Invariants that hold of the original, and so of what nothing was made wider in. */
export function stateInvariants(
  filter: PacketFilter,
  map: ChainMap,
  scope: Scope,
): readonly Invariant[] {
  const group = scope.at(-1);
  const base: Region = group === undefined ? {} : { group: [group] };
  return [...map].flatMap(([theirs, ours]) =>
    ours
      .filter((chain) => CHAINS[chain].noPeer === undefined)
      .flatMap((chain) => {
        const stages = stagesOf(filter, theirs) ?? [];
        return stages.flatMap((key) =>
          new Stage(filter, key, chain, base).state(stages.length === 1),
        );
      }),
  );
}
