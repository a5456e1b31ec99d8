/**
 * Dumps of iptables-save as rules about socket calls. Nothing becomes wider: where a test can't be said, a rule
 * that accepts is left out and a rule that refuses does it without the test.
 *
 * A jump with such a test may or may not be taken. It leads to a copy of the chain in which ACCEPT is RETURN: what
 * the chain refuses is refused, and what it would accept must be accepted by what comes after.
 */
import { type BuiltinChain, CHAINS, type RejectErrno } from '@sockfilter/table';
import { classify, type SourceTest, type Tests } from './classify.js';
import { type Draft, type DraftLine, type Fate, type Remark, type Scope, word } from './draft.js';
import type { Dump, DumpRule } from './dump.js';
import { reachedFrom } from './reach.js';

/** The chains of ours that stand for one of iptables. */
export type ChainMap = ReadonlyMap<string, readonly BuiltinChain[]>;

/** Targets that decide nothing. */
const PASSING =
  /^(LOG|NFLOG|ULOG|MARK|CONNMARK|CONNSECMARK|SECMARK|AUDIT|TRACE|TOS|DSCP|TTL|HL|CLASSIFY|NOTRACK|CT|CHECKSUM|SET|RATEEST|TEE|IDLETIMER|LED|TCPMSS)$/;

/** What connect(2) fails with, by the answer that REJECT gives. */
const ERRNOS: readonly (readonly [RegExp, RejectErrno])[] = [
  [/^icmp6?-(adm|host)|^adm|addr-unreach/, 'EHOSTUNREACH'],
  [/net|no-route/, 'ENETUNREACH'],
  [/port|tcp-reset/, 'ECONNREFUSED'],
];

const MAX_NAME = 28;

interface Place {
  /** The chain of ours that the rule goes to. */
  readonly chain: string;
  /** Of a built-in chain. */
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly match: Scope;
  /** What reaches it has a peer as its destination, and may have no source yet. */
  readonly outward: boolean;
  readonly inward: boolean;
  /** A copy that accepts nothing. */
  readonly copy: boolean;
}

class Importer {
  readonly chains: string[] = [];
  readonly lines: DraftLine[] = [];
  readonly remarks: Remark[] = [];
  readonly #dump: Dump;
  readonly #map: ChainMap;
  readonly #scope: Scope;
  readonly #taken: Set<string>;
  readonly #names = new Map<string, string>();
  readonly #queue: (readonly [name: string, copy: boolean])[] = [];
  readonly #outward = new Set<string>();
  readonly #inward = new Set<string>();
  readonly #silent = new Set<string>();

  constructor(dump: Dump, map: ChainMap, scope: Scope, taken: Set<string>) {
    this.#dump = dump;
    this.#map = map;
    this.#scope = scope;
    this.#taken = taken;
    for (const [theirs, ours] of map)
      for (const chain of reachedFrom(dump, theirs))
        for (const each of ours) {
          (CHAINS[each].ours === 'source' ? this.#outward : this.#inward).add(chain);
          if (CHAINS[each].refusal === 'silence') this.#silent.add(chain);
        }
  }

  #tell(rule: Pick<DumpRule, 'line' | 'text'>, fate: Fate, reason: string): void {
    const { line, text } = rule;
    if (this.remarks.some((each) => each.line === line && each.reason === reason)) return;
    this.remarks.push({ file: this.#dump.file, line, fate, text, reason });
  }

  /** The name of ours for a user chain, or for its copy that accepts nothing. */
  #nameOf(name: string, copy: boolean): string {
    const key = copy ? `${name} copy` : name;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const plain = copy ? `${name}-refuse` : name;
    let chosen = plain.slice(0, MAX_NAME);
    for (let number = 2; this.#taken.has(chosen); number++)
      chosen = `${plain.slice(0, MAX_NAME - 4)}-${number}`;
    this.#taken.add(chosen);
    this.#names.set(key, chosen);
    this.chains.push(chosen);
    this.#queue.push([name, copy]);
    return chosen;
  }

  run(): void {
    for (const [theirs, ours] of this.#map)
      for (const chain of ours) this.#importBuiltin(theirs, chain);
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const [name, copy] = next;
      const place: Place = {
        chain: this.#nameOf(name, copy),
        policy: undefined,
        match: [],
        outward: this.#outward.has(name),
        inward: !this.#outward.has(name),
        copy,
      };
      for (const rule of this.#dump.rules) if (rule.chain === name) this.#importRule(rule, place);
    }
    this.#tellOthers();
  }

  #importBuiltin(theirs: string, chain: BuiltinChain): void {
    const policy = this.#dump.chains.get(theirs) ?? 'ACCEPT';
    const outward = CHAINS[chain].ours === 'source';
    const place = { chain, policy, match: this.#scope, outward, inward: !outward, copy: false };
    for (const rule of this.#dump.rules) if (rule.chain === theirs) this.#importRule(rule, place);
    if (policy === 'ACCEPT') return;
    const text = `the policy of ${theirs} is DROP`;
    this.#emit({ line: 0, text }, place, [], 'DROP', true);
  }

  #importRule(rule: DumpRule, place: Place): void {
    const tests = classify(rule, this.#dump.family, place.inward);
    const { target } = rule;
    if (tests.never !== undefined) this.#tell(rule, 'moot', tests.never);
    else if (!target || PASSING.test(target.name)) {
      this.#tell(rule, 'moot', target ? `${target.name} decides nothing` : 'it only counts');
    } else this.#importTarget(rule, place, tests, target);
  }

  #importTarget(
    rule: DumpRule,
    place: Place,
    tests: Tests,
    { name, goto }: NonNullable<DumpRule['target']>,
  ): void {
    if (name === 'ACCEPT') this.#accept(rule, place, tests, place.copy ? 'RETURN' : 'ACCEPT');
    else if (name === 'RETURN') this.#leave(rule, place, tests);
    else if (name === 'DROP') this.#refuse(rule, place, tests, 'DROP');
    else if (name === 'REJECT') this.#refuse(rule, place, tests, this.#reject(rule, place));
    else if (this.#dump.chains.has(name)) this.#call(rule, place, tests, goto);
    else this.#refuseFor(rule, place, tests, `sockfilter has no target ${name}: it refuses here`);
  }

  /** With all that is uncertain the rule would match other calls than the original. */
  #doubts({ outward }: Place, { lost, device, sources }: Tests): readonly string[] {
    const all = device ? [...lost, device.reason] : lost;
    if (!outward || sources.length === 0) return all;
    return [...all, 'a socket may have no source yet when it calls'];
  }

  #accept(rule: DumpRule, place: Place, tests: Tests, target: string): void {
    const negated = place.outward && tests.sources.some((source) => source.negated);
    const wide = negated || tests.device?.more;
    const doubts = wide ? this.#doubts(place, tests) : tests.lost;
    if (doubts.length > 0) this.#tell(rule, 'narrowed', `left out: ${doubts.join('; ')}`);
    else this.#emit(rule, place, allWords(tests), target, false);
  }

  #leave(rule: DumpRule, place: Place, tests: Tests): void {
    const doubts = this.#doubts(place, tests);
    if (place.policy === 'ACCEPT') this.#accept(rule, place, tests, 'ACCEPT');
    else if (place.policy === 'DROP') this.#refuse(rule, place, tests, 'DROP');
    else if (doubts.length === 0) this.#emit(rule, place, allWords(tests), 'RETURN', false);
    // A copy that goes on refuses more.
    else if (!place.copy) {
      const reason = `it refuses, where it would return: ${doubts.join('; ')}`;
      this.#refuseFor(rule, place, tests, reason);
    }
  }

  #refuseFor(rule: DumpRule, place: Place, tests: Tests, reason: string): void {
    this.#tell(rule, 'narrowed', reason);
    this.#emitRefusals(rule, place, tests, 'DROP');
  }

  #refuse(rule: DumpRule, place: Place, tests: Tests, target: string): void {
    const missing = [
      ...tests.lost,
      ...(tests.device && !tests.device.more ? [tests.device.reason] : []),
    ];
    if (missing.length > 0)
      this.#tell(rule, 'narrowed', `it refuses without a test: ${missing.join('; ')}`);
    this.#emitRefusals(rule, place, tests, target);
  }

  /** The rule as it is, and once more for sockets that have no source yet, which may get that one. */
  #emitRefusals(rule: DumpRule, place: Place, tests: Tests, target: string): void {
    const words = wideWords(tests);
    const all = tests.sources.flatMap((each) => each.words);
    this.#emit(rule, place, [...words, ...all], target, true);
    const uncertain = place.outward ? tests.sources.filter(({ negated }) => !negated) : [];
    for (const chosen of subsets(uncertain)) {
      if (chosen.length === 0) continue;
      const sources = tests.sources.flatMap((each) =>
        chosen.includes(each) ? each.unbound : each.words,
      );
      this.#emit(rule, place, [...words, ...sources], target, true);
    }
  }

  #reject(rule: DumpRule, place: Place): string {
    const answer = rule.targetOptions.find(({ name }) => name === '--reject-with')?.words[0];
    const isSilent = place.policy === undefined ? this.#silent.has(rule.chain) : place.inward;
    if (isSilent) return 'DROP';
    const errno = ERRNOS.find(([pattern]) => pattern.test(answer ?? 'icmp-port-unreachable'))?.[1];
    return `REJECT --reject-with ${errno ?? 'EPERM'}`;
  }

  #call(rule: DumpRule, place: Place, tests: Tests, goto: boolean): void {
    const name = rule.target?.name ?? '';
    const doubts = this.#doubts(place, tests);
    const flag = goto && place.policy === undefined ? '-g' : '-j';
    if (doubts.length === 0 && !(goto && place.policy !== undefined)) {
      const chain = this.#nameOf(name, place.copy);
      this.#emitCall(rule, place, allWords(tests), flag, chain);
      return;
    }
    if (goto && !place.copy) {
      this.#refuseFor(
        rule,
        place,
        tests,
        `it refuses, where it would go to ${name}: ${doubts.join('; ') || 'the policy comes after it'}`,
      );
      return;
    }
    if (!place.copy)
      this.#tell(rule, 'narrowed', `nothing is accepted by ${name} for it: ${doubts.join('; ')}`);
    this.#emitCall(rule, place, wideWords(tests), '-j', this.#nameOf(name, true));
  }

  #emitCall(rule: DumpRule, place: Place, words: readonly string[], flag: string, chain: string) {
    this.#write(rule, place, words, `${flag} ${word(chain)}`, true);
  }

  #emit(
    rule: Pick<DumpRule, 'line' | 'text'>,
    place: Place,
    words: readonly string[],
    target: string,
    refuses: boolean,
  ): void {
    this.#write(rule, place, words, `-j ${target}`, refuses);
  }

  #write(
    { line, text }: Pick<DumpRule, 'line' | 'text'>,
    { chain, match }: Place,
    words: readonly string[],
    end: string,
    refuses: boolean,
  ): void {
    const all = [
      '-A',
      chain,
      `-${this.#dump.family}`,
      ...ownModules(words).map(ruleWord),
      ...match.map(word),
      end,
    ];
    this.lines.push({
      text: all.join(' '),
      file: this.#dump.file,
      line,
      original: text,
      refuses,
    });
  }

  #tellOthers(): void {
    const { rules, others, unknown } = this.#dump;
    const mapped = new Set(
      [...this.#map.keys()].flatMap((name) => [...reachedFrom(this.#dump, name)]),
    );
    for (const rule of rules)
      if (!mapped.has(rule.chain))
        this.#tell(
          rule,
          'moot',
          `${rule.chain} is not reached from ${[...this.#map.keys()].join(' or ')}`,
        );
    for (const [table, line, text] of others) {
      const moves = table === 'nat' && /-j (DNAT|REDIRECT)/.test(text);
      const reason = moves
        ? 'calls are judged by the address that is asked for, before it is translated'
        : `the table ${table} decides about no socket call`;
      this.#tell({ line, text }, moves ? 'note' : 'moot', reason);
    }
    for (const [line, text] of unknown)
      this.#tell({ line, text }, 'wider', 'this is no line of a dump');
  }
}

/** Options of the matches that must have one. */
const NEEDED: Readonly<Record<string, RegExp>> = {
  multiport: /^--(sports|dports|ports|source-ports|destination-ports|port)$/,
  iprange: /^--(src|dst)-range$/,
  owner: /^--[ug]id-owner$/,
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

/** Rules that accept no call which the dumps would refuse. */
export function importDumps(dumps: readonly Dump[], map: ChainMap, scope: Scope): Draft {
  const taken = new Set<string>();
  const done = dumps.map((dump) => {
    const importer = new Importer(dump, map, scope, taken);
    importer.run();
    return importer;
  });
  return {
    chains: done.flatMap(({ chains }) => chains),
    lines: done.flatMap(({ lines }) => lines),
    remarks: done.flatMap(({ remarks }) => remarks),
    invariants: [],
  };
}
