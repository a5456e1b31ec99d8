/**
 * The rules of a packet filter as rules about socket calls. Nothing becomes wider: where a test can't be said, a rule
 * that accepts is left out and a rule that refuses does it without the test.
 *
 * A jump with such a test may or may not be taken. It leads to a copy of the chain in which ACCEPT is RETURN: what
 * the chain refuses is refused, and what it would accept must be accepted by what comes after.
 *
 * Where a packet passes several base chains, what one of them accepts goes on to the next, and the last one accepts.
 */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  type Family,
  type RejectErrno,
  TARGETS,
} from '@sockfilter/table';
import { classify, opensConnections, type SourceTest, type Tests } from './classify.js';
import { type Draft, type DraftLine, type Fate, type Remark, type Scope, word } from './draft.js';
import {
  type ChainMap,
  chainsCalled,
  type ForeignRule,
  type ForeignTarget,
  type Origin,
  PASSING,
  type PacketFilter,
  reachedFrom,
  stagesOf,
} from './packetfilter.js';
import { stateInvariants } from './stated.js';

/** What connect(2) fails with, by the answer that REJECT gives. */
const ERRNOS: readonly (readonly [RegExp, RejectErrno])[] = [
  [/^icmp6?-(adm|host)|^adm|^host|addr-unreach/, 'EHOSTUNREACH'],
  [/net|no-route/, 'ENETUNREACH'],
  [/port|tcp[- ]reset/, 'ECONNREFUSED'],
];

const MAX_NAME = 28;

/** What becomes of ACCEPT: of a copy that accepts nothing it is RETURN. */
const ACCEPT = '-j ACCEPT';
const RETURN = '-j RETURN';

/** What comes by a chain of ours: a chain of theirs that calls of two kinds reach is there for each. */
interface Ends {
  /** What reaches it has a peer as its destination, and may have no source yet. */
  readonly outward: boolean;
  readonly inward: boolean;
  /** Of what reaches it only what opens a connection. */
  readonly connects: boolean;
  /** A refusal is not told to the peer. */
  readonly silent: boolean;
}

interface Place extends Ends {
  /** The chain of ours that the rule goes to. */
  readonly chain: string;
  /** Of a base chain. */
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly family: Family | undefined;
  readonly match: Scope;
  /** The end of a rule that accepts. */
  readonly accept: string;
}

interface Part {
  readonly key: string;
  readonly place: Place;
  /** The end of the rule behind all others. */
  readonly end: string | undefined;
}

class Translator {
  readonly chains: string[] = [];
  readonly lines: DraftLine[] = [];
  readonly remarks: Remark[];
  readonly #filter: PacketFilter;
  readonly #map: ChainMap;
  readonly #scope: Scope;
  readonly #taken: Set<string>;
  readonly #names = new Map<string, string>();
  readonly #queue: Part[] = [];
  readonly #reached = new Set<string>();
  readonly #told = new Set<string>();
  /** Whether datagrams are judged as they come in: then what they reach is there once more. */
  readonly #hasDatagrams: boolean;

  constructor(filter: PacketFilter, map: ChainMap, scope: Scope, taken: Set<string>) {
    this.#filter = filter;
    this.#map = map;
    this.#scope = scope;
    this.#taken = taken;
    this.remarks = [...filter.remarks];
    const inward = [...map.values()].flat().filter((chain) => CHAINS[chain].ours !== 'source');
    this.#hasDatagrams = !inward.every(opensConnections);
    for (const theirs of map.keys())
      for (const stage of stagesOf(filter, theirs) ?? [])
        for (const chain of reachedFrom(filter, stage)) this.#reached.add(chain);
  }

  #tell({ line, place, text }: Origin, fate: Fate, reason: string): void {
    const key = `${line} ${place} ${reason}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.remarks.push({ file: this.#filter.file, line, place, fate, text, reason });
  }

  /** The name of ours for a chain in which ACCEPT has this end; its rules are to be written. */
  #nameOf(key: string, accept: string, ends: Ends, base?: Pick<Part, 'end'>): string {
    const { outward, inward, connects, silent } = ends;
    const id = `${accept} ${outward} ${connects} ${key}`;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const chain = this.#filter.chains.get(key);
    const own = (chain?.name ?? key).replace(/[\s"'\\\p{Cc}]|^[-!]/gu, '_');
    const plain = accept === RETURN ? `${own}-refuse` : own;
    let chosen = plain.slice(0, MAX_NAME);
    for (let number = 2; this.#taken.has(chosen); number++)
      chosen = `${plain.slice(0, MAX_NAME - 4)}-${number}`;
    this.#taken.add(chosen);
    this.#names.set(id, chosen);
    this.chains.push(chosen);
    const place: Place = {
      chain: chosen,
      policy: base && chain?.policy,
      family: chain?.family,
      match: [],
      outward,
      inward,
      connects,
      silent,
      accept,
    };
    this.#queue.push({ key, place, end: base?.end });
    return chosen;
  }

  run(): void {
    for (const [theirs, ours] of this.#map) for (const chain of ours) this.#stages(theirs, chain);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#part(next);
    this.#tellOthers();
  }

  #endsOf(chain: BuiltinChain): Ends {
    const { ours, refusal } = CHAINS[chain];
    const outward = ours === 'source';
    const connects = !this.#hasDatagrams || opensConnections(chain);
    return { outward, inward: !outward, connects, silent: refusal === 'silence' };
  }

  #stages(theirs: string, chain: BuiltinChain): void {
    const stages = stagesOf(this.#filter, theirs);
    if (!stages) {
      const text = `${theirs}=${chain}`;
      const known = [...this.#filter.stages.keys()].join(', ');
      const several = chainsCalled(this.#filter, theirs).map((key) => `\`${key}\``);
      const reason =
        several.length > 1
          ? `\`${theirs}\` may be ${several.join(' or ')}`
          : `there is no chain \`${theirs}\`, but ${known} and those of the file`;
      this.#tell({ line: 1, text }, 'wider', reason);
      return;
    }
    const [first, ...rest] = stages;
    if (first === undefined) return;
    // From the last one, which accepts, to the first, which is the built-in chain itself.
    const ends = this.#endsOf(chain);
    const accept = rest.reduceRight((after, key) => {
      const end = after;
      return `-g ${word(this.#nameOf(key, after, ends, { end }))}`;
    }, ACCEPT);
    const { policy = 'ACCEPT', family } = this.#filter.chains.get(first) ?? {};
    const place = { chain, policy, family, match: this.#scope, ...ends, accept };
    this.#part({ key: first, place, end: accept === ACCEPT ? undefined : accept });
  }

  #part({ key, place, end }: Part): void {
    const chain = this.#filter.chains.get(key);
    for (const rule of chain?.rules ?? []) this.#rule(rule, place);
    const text = `the policy of ${chain?.name ?? key} is DROP`;
    const origin = { line: 0, text, family: place.family };
    if (place.policy === 'DROP') this.#write(origin, place, [], '-j DROP', true);
    const isLast = place.policy === 'DROP' && place.family === undefined;
    if (end !== undefined && !isLast)
      this.#write({ ...origin, family: undefined }, place, [], end, end !== ACCEPT);
  }

  #rule(rule: ForeignRule, place: Place): void {
    const { untracked, findsSockets } = this.#filter;
    const { inward, connects } = place;
    const tests = classify(rule, { inward, connects, untracked, findsSockets });
    const { target } = rule;
    if (tests.never !== undefined) this.#tell(rule, 'moot', tests.never);
    else if (!target || PASSING.test(target.name))
      this.#tell(rule, 'moot', target ? `${target.name} decides nothing` : 'it only counts');
    else this.#target(rule, place, tests, target);
  }

  #target(rule: ForeignRule, place: Place, tests: Tests, target: ForeignTarget): void {
    const { name } = target;
    if (target.chain !== undefined) this.#call(rule, place, tests, target, target.chain);
    else if (name === 'ACCEPT') this.#accept(rule, place, tests, place.accept);
    else if (name === 'RETURN') this.#leave(rule, place, tests);
    else if (name === 'DROP') this.#refuse(rule, place, tests, 'DROP');
    else if (name === 'REJECT') this.#refuse(rule, place, tests, this.#reject(rule, place));
    else this.#refuseFor(rule, place, tests, `sockfilter has no target ${name}: it refuses here`);
  }

  /** With all that is uncertain the rule would match other calls than the original. */
  #doubts({ outward }: Place, { lost, device, sources }: Tests): readonly string[] {
    const all = device ? [...lost, device.reason] : lost;
    if (!outward || sources.length === 0) return all;
    return [...all, 'a socket may have no source yet when it calls'];
  }

  #accept(rule: ForeignRule, place: Place, tests: Tests, end: string): void {
    const negated = place.outward && tests.sources.some((source) => source.negated);
    const wide = negated || tests.device?.more;
    const doubts = wide ? this.#doubts(place, tests) : tests.lost;
    if (doubts.length > 0) this.#tell(rule, 'narrowed', `left out: ${doubts.join('; ')}`);
    else this.#write(rule, place, allWords(tests), end, false);
  }

  #leave(rule: ForeignRule, place: Place, tests: Tests): void {
    const doubts = rule.exempts ? tests.lost : this.#doubts(place, tests);
    if (place.policy === 'ACCEPT') this.#accept(rule, place, tests, place.accept);
    else if (place.policy === 'DROP') this.#refuse(rule, place, tests, 'DROP');
    else if (doubts.length === 0) this.#write(rule, place, allWords(tests), RETURN, false);
    // A copy that goes on refuses more.
    else if (place.accept === RETURN)
      this.#tell(rule, 'narrowed', `it goes on, where it would return: ${doubts.join('; ')}`);
    else {
      const reason = `it refuses, where it would return: ${doubts.join('; ')}`;
      this.#refuseFor(rule, place, tests, reason);
    }
  }

  #refuseFor(rule: ForeignRule, place: Place, tests: Tests, reason: string): void {
    this.#tell(rule, 'narrowed', reason);
    this.#writeRefusals(rule, place, tests, 'DROP');
  }

  #refuse(rule: ForeignRule, place: Place, tests: Tests, target: string): void {
    const missing = [
      ...tests.lost,
      ...(tests.device && !tests.device.more ? [tests.device.reason] : []),
    ];
    if (missing.length > 0)
      this.#tell(rule, 'narrowed', `it refuses without a test: ${missing.join('; ')}`);
    this.#writeRefusals(rule, place, tests, target);
  }

  /** The rule as it is, and once more for sockets that have no source yet, which may get that one. */
  #writeRefusals(rule: ForeignRule, place: Place, tests: Tests, target: string): void {
    const words = wideWords(tests);
    const end = `-j ${target}`;
    const all = tests.sources.flatMap((each) => each.words);
    this.#write(rule, place, [...words, ...all], end, true);
    const uncertain = place.outward ? tests.sources.filter(({ negated }) => !negated) : [];
    for (const chosen of subsets(uncertain)) {
      if (chosen.length === 0) continue;
      const sources = tests.sources.flatMap((each) =>
        chosen.includes(each) ? each.unbound : each.words,
      );
      this.#write(rule, place, [...words, ...sources], end, true);
    }
  }

  #reject(rule: ForeignRule, place: Place): string {
    const answer = rule.targetOptions.find(({ name }) => name === '--reject-with')?.words[0];
    if (place.silent) return 'DROP';
    const errno = ERRNOS.find(([pattern]) => pattern.test(answer ?? 'icmp-port-unreachable'))?.[1];
    return `REJECT --reject-with ${errno ?? 'EPERM'}`;
  }

  #call(
    rule: ForeignRule,
    place: Place,
    tests: Tests,
    { name, goto }: ForeignTarget,
    key: string,
  ): void {
    const doubts = this.#doubts(place, tests);
    const words = allWords(tests);
    if (doubts.length === 0) {
      const chain = word(this.#nameOf(key, place.accept, place));
      const isBase = place.policy !== undefined;
      this.#write(rule, place, words, `${goto && !isBase ? '-g' : '-j'} ${chain}`, true);
      // What comes back from there has the policy.
      if (goto && place.policy === 'ACCEPT') this.#write(rule, place, words, place.accept, false);
      if (goto && place.policy === 'DROP') this.#write(rule, place, words, '-j DROP', true);
      return;
    }
    const copies = place.accept === RETURN;
    if (goto && !copies) {
      const reason = `it refuses, where it would go to ${name}: ${doubts.join('; ')}`;
      this.#refuseFor(rule, place, tests, reason);
      return;
    }
    if (!copies)
      this.#tell(rule, 'narrowed', `nothing is accepted by ${name} for it: ${doubts.join('; ')}`);
    const chain = word(this.#nameOf(key, RETURN, place));
    this.#write(rule, place, wideWords(tests), `-j ${chain}`, true);
  }

  #write(
    { line, place: at, text, family }: Origin & Pick<ForeignRule, 'family'>,
    { chain, match }: Place,
    words: readonly string[],
    end: string,
    refuses: boolean,
  ): void {
    const all = [
      '-A',
      word(chain),
      ...(family === undefined ? [] : [`-${family}`]),
      ...ownModules(words).map(ruleWord),
      ...match.map(word),
      end,
    ];
    const { file } = this.#filter;
    this.lines.push({ text: all.join(' '), file, line, place: at, original: text, refuses });
  }

  #tellOthers(): void {
    const names = [...this.#map.keys()];
    if (names.some((name) => !stagesOf(this.#filter, name))) return;
    const hooks = names.join(' or ');
    for (const [key, { table, name, rules }] of this.#filter.chains) {
      if (this.#reached.has(key)) continue;
      for (const rule of rules) {
        const moves = /^(DNAT|REDIRECT)$/.test(rule.target?.name ?? '');
        const reason = moves
          ? 'calls are judged by the address that is asked for, before it is translated'
          : `${name} of the table ${table} refuses nothing that comes by ${hooks}`;
        this.#tell(rule, moves ? 'note' : 'moot', reason);
      }
    }
  }
}

/** Options of the matches that must have one. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  multiport: /^--(sports|dports|ports|source-ports|destination-ports|port)$/,
  iprange: /^--(src|dst)-range$/,
  owner: /^--[ug]id-owner$/,
  cgroup: /^--path$/,
  time: /^--(time|date|month|week)/,
};

/** The words without the matches whose options are all gone. */
function ownModules(words: readonly string[]): readonly string[] {
  return words.filter((_, at) => {
    const name =
      words[at] === '-m' ? words[at + 1] : words[at - 1] === '-m' ? words[at] : undefined;
    const needed = name === undefined ? undefined : NEEDED[name];
    return !needed || words.some((each) => needed.test(each));
  });
}

/** `!` stands by itself. */
const ruleWord = (text: string) => (text === '!' ? text : word(text));

function allWords({ words, device, sources }: Tests): readonly string[] {
  return [...words, ...(device?.words ?? []), ...sources.flatMap((source) => source.words)];
}

/** Those that match at least what the original does, without the source. */
function wideWords({ words, device }: Tests): readonly string[] {
  return device?.more ? [...words, ...device.words] : words;
}

function subsets(sources: readonly SourceTest[]): readonly (readonly SourceTest[])[] {
  const [first, ...rest] = sources;
  if (!first) return [[]];
  return subsets(rest).flatMap((each) => [each, [first, ...each]]);
}

/** Rules that accept no call which all of the filters together would refuse. */
export function translate(filters: readonly PacketFilter[], map: ChainMap, scope: Scope): Draft {
  const words = Object.values(TARGETS).flatMap(({ word: target }) => target ?? []);
  const taken = new Set<string>([...BUILTIN_CHAINS, ...words]);
  const done = filters.map((filter) => {
    const translator = new Translator(filter, map, scope, taken);
    translator.run();
    return translator;
  });
  return {
    chains: done.flatMap(({ chains }) => chains),
    lines: done.flatMap(({ lines }) => lines),
    remarks: done.flatMap(({ remarks }) => remarks),
    invariants: filters.flatMap((filter) => stateInvariants(filter, map, scope)),
  };
}
