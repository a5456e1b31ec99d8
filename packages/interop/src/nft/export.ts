/**
 * A table as a ruleset of nft, for hosts without sockfilter. nft sees packets and not calls: what connects is a SYN
 * that goes out, what is accepted one that comes in, and each datagram that goes out is judged by CONNECT and by
 * SENDTO, since it may come of either. Nothing becomes wider; what nft can't see at all is told.
 *
 * A base chain of each of ours sorts sockets by their control group, from the deepest on, and goes to a copy of the
 * chain in which tests of the group are answered: `socket cgroupv2` does not hold of packets without a socket, and so
 * can't be negated.
 */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  type Chain,
  type Clause,
  chainNumber,
  contains,
  effectsOf,
  errnoName,
  findChain,
  type Group,
  groupAt,
  isDetail,
  leadsElsewhere,
  MATCHES,
  type MatchDescriptor,
  type MatchName,
  PROTOCOL,
  patternOf,
  policyErrno,
  type Rule,
  rewritingOf,
  ruleCondition,
  stepOf,
  type Table,
  TCP_SYN,
  type Test,
  unescapePath,
} from '@sockfilter/table';
import type { Fate, Remark } from '../draft.js';
import { familyIn, printTests } from './rulesettext.js';

export interface Exported {
  readonly text: string;
  readonly remarks: readonly Remark[];
}

/** Where a rule or chain stands in its file, and its text there. */
export type LocateOwner = (owner: Rule | Chain) => Pick<Remark, 'line' | 'text'>;

const TABLE = 'inet sockfilter';

/** Before addresses are translated, as a call is judged by the address that was asked for. */
const PRIORITY = -150;

interface Hooked {
  readonly hook: string;
  readonly priority: number;
  /** What is no call of the chain passes. */
  readonly passing: readonly string[];
}

const NO_SYN = 'tcp flags & (fin | syn | rst | ack) != syn accept';

const HOOKED: Partial<Readonly<Record<BuiltinChain, Hooked>>> = {
  CONNECT: {
    hook: 'output',
    priority: PRIORITY,
    passing: [
      'meta l4proto != { tcp, udp, icmp, ipv6-icmp } accept',
      NO_SYN,
      'icmp type != echo-request accept',
      'icmpv6 type != echo-request accept',
    ],
  },
  SENDTO: {
    hook: 'output',
    priority: PRIORITY + 1,
    passing: ['meta l4proto != { udp, udplite } accept'],
  },
  ACCEPT: { hook: 'input', priority: 0, passing: ['meta l4proto != tcp accept', NO_SYN] },
};

/** Why nft has nothing for a chain. */
const UNSEEN: Partial<Readonly<Record<BuiltinChain, string>>> = {
  BIND: 'not enforced: nft sees no bind(2)',
  RECVFROM: 'not enforced: nft can not tell datagrams of connected sockets from others',
};

/** What tells the caller; a silent refusal is a timeout. */
const ANSWERS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'reject with icmpx port-unreachable',
  EHOSTUNREACH: 'reject with icmpx host-unreachable',
  ENETUNREACH: 'reject with icmpx no-route',
  EADDRNOTAVAIL: 'reject with icmpx no-route',
  ETIMEDOUT: 'drop',
};

/** Alternatives of tests that hold together. */
type Alternatives = readonly (readonly Test[])[];

const MAX_ALTERNATIVES = 1000;

/** A class of groups, between which no rule tells. */
interface Kind {
  readonly id: number;
  readonly number: number;
}

class Exporter {
  readonly remarks: Remark[] = [];
  readonly #table: Table;
  readonly #file: string;
  readonly #locate: LocateOwner;
  readonly #told = new Set<string>();

  constructor(table: Table, file: string, locate: LocateOwner) {
    this.#table = table;
    this.#file = file;
    this.#locate = locate;
  }

  tell(owner: Rule | Chain, fate: Fate, reason: string): void {
    const { line, text } = this.#locate(owner);
    const key = `${line} ${reason}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.remarks.push({ file: this.#file, line, fate, text, reason });
  }

  run(): string {
    const chains = BUILTIN_CHAINS.flatMap((name) => {
      const chain = findChain(this.#table, name);
      const hooked = HOOKED[name];
      if (!chain || (chain.rules.length === 0 && chain.policy === 'ACCEPT')) return [];
      if (!hooked) {
        const reason = UNSEEN[name] ?? 'not enforced';
        for (const rule of chain.rules) this.tell(rule, 'missing', reason);
        if (chain.policy === 'DROP') this.tell(chain, 'missing', reason);
        return [];
      }
      return new ChainExporter(this, this.#table, chain, name, hooked).run();
    });
    const connect = findChain(this.#table, 'CONNECT');
    const sends = findChain(this.#table, 'SENDTO');
    for (const chain of [connect, sends])
      if (chain && (chain.rules.length > 0 || chain.policy === 'DROP'))
        this.tell(
          chain,
          'narrowed',
          'nft sees datagrams and not calls: each that goes out is judged by CONNECT and by SENDTO',
        );
    const lines = [
      '# Made of a table of sockfilter: what nft can enforce of it. Load it with `nft -f`, and again when a',
      '# control group that it names was made anew: nft knows control groups by number.',
      `table ${TABLE}`,
      `delete table ${TABLE}`,
      `table ${TABLE} {`,
      ...chains,
      '}',
    ];
    return `${lines.join('\n')}\n`;
  }
}

class ChainExporter {
  readonly #out: Exporter;
  readonly #table: Table;
  readonly #chain: Chain;
  readonly #name: BuiltinChain;
  readonly #hooked: Hooked;
  readonly #outward: boolean;
  /** Tests of groups in the rules that the chain reaches. */
  readonly #groupTests: readonly Test[];
  readonly #kinds = new Map<string, Kind>();
  readonly #written = new Map<string, readonly string[]>();

  constructor(out: Exporter, table: Table, chain: Chain, name: BuiltinChain, hooked: Hooked) {
    this.#out = out;
    this.#table = table;
    this.#chain = chain;
    this.#name = name;
    this.#hooked = hooked;
    this.#outward = CHAINS[name].ours === 'source';
    this.#groupTests = this.#reached().flatMap(({ rules }) =>
      rules.flatMap((rule) =>
        ruleCondition(rule, table)
          .flat()
          .filter(({ field }) => field === 'group'),
      ),
    );
  }

  #reached(): readonly Chain[] {
    const found = new Set([this.#chain]);
    for (const { rules } of found)
      for (const { target } of rules) {
        const step = stepOf(target);
        const called = step.kind === 'call' ? findChain(this.#table, step.chain) : undefined;
        if (called) found.add(called);
      }
    return [...found];
  }

  /** The class of the calls with the id. */
  #kindOf(id: number): Kind {
    const key = this.#groupTests
      .map(({ set, negated }) => (contains(set, BigInt(id)) === negated ? '0' : '1'))
      .join('');
    const known = this.#kinds.get(key);
    if (known) return known;
    const made = { id, number: this.#kinds.size };
    this.#kinds.set(key, made);
    return made;
  }

  run(): readonly string[] {
    const { hook, priority, passing } = this.#hooked;
    const { groups } = this.#table;
    const none = this.#kindOf(groupAt(groups, '/')?.id ?? 0);
    const sorted = groups
      .flatMap((group) => this.#sort(group))
      .toSorted((a, b) => b.level - a.level)
      .map(({ level, path, kind }) => {
        const target = this.#copy(this.#chain, kind);
        return `socket cgroupv2 level ${level} "${path}" goto ${target}`;
      });
    const last = `goto ${this.#copy(this.#chain, none)}`;
    const base = [
      `type filter hook ${hook} priority ${priority}; policy ${this.#chain.policy === 'DROP' ? 'drop' : 'accept'};`,
      ...passing,
      ...sorted,
      last,
    ];
    const chains = [[this.#name, base] as const, ...this.#written].map(([name, lines]) => [
      `\tchain ${name} {`,
      ...lines.map((line) => `\t\t${line}`),
      '\t}',
    ]);
    return chains.flat();
  }

  /** Where a group's sockets go, if not where those around it go. */
  #sort({ id, path, name }: Group): readonly { level: number; path: string; kind: Kind }[] {
    if (path === undefined || path === '/') return [];
    const kind = this.#kindOf(id);
    const parent = path.replace(/\/[^/]*$/, '') || '/';
    const around = this.#kindOf(groupAt(this.#table.groups, parent)?.id ?? 0);
    if (kind === around) return [];
    const plain = unescapePath(path);
    const what = patternOf(path) ? 'a pattern' : /["\n]/.test(plain) ? 'its path' : undefined;
    if (what !== undefined) {
      this.#out.tell(this.#chain, 'wider', `nft has no word for ${what} of the group \`${name}\``);
      return [];
    }
    return [{ level: plain.split('/').length - 1, path: plain.slice(1), kind }];
  }

  /** The name of the chain as it is to calls of the kind. */
  #copy(chain: Chain, kind: Kind): string {
    const plain = chain.name.replace(/[^A-Za-z0-9_.-]/g, '_');
    const place = this.#table.chains.indexOf(chain);
    const name = `${this.#name}-${kind.number}-${place}-${plain}`.slice(0, 100);
    if (this.#written.has(name)) return name;
    const lines: string[] = [];
    this.#written.set(name, lines);
    for (const rule of chain.rules) lines.push(...this.#rule(chain, rule, kind));
    if (chain.policy !== undefined) lines.push(this.#verdict(policyErrno(chain.policy)));
    return name;
  }

  #verdict(errno: number): string {
    if (errno === 0) return 'accept';
    if (!this.#outward) return 'drop';
    return ANSWERS[errnoName(errno)] ?? 'reject with icmpx admin-prohibited';
  }

  #rule(chain: Chain, rule: Rule, kind: Kind): readonly string[] {
    const step = stepOf(rule.target);
    const kinds = new Set(effectsOf(rule.target).map((effect) => effect.kind));
    if (leadsElsewhere(rewritingOf(rule.target)))
      this.#out.tell(rule, 'wider', 'nft would judge the destination that was asked for');
    else if (kinds.has('rewrite')) this.#out.tell(rule, 'note', 'nft does not set the mark');
    else if (kinds.size > 1) this.#out.tell(rule, 'note', 'nft gets no events of it');
    if (step.kind === 'next') return [];
    const clauses = this.#resolve(ruleCondition(rule, this.#table), kind);
    const alternatives = clauses && expand(clauses);
    if (!clauses) return [];
    const decision =
      step.kind === 'decide'
        ? step.errno
        : step.kind === 'leave' && chain.policy !== undefined
          ? policyErrno(chain.policy)
          : undefined;
    const doubt = this.#doubt(rule, clauses) ?? (alternatives ? undefined : 'it has too many ways');
    if (decision === 0) return this.#accept(rule, alternatives ?? [], doubt);
    if (decision !== undefined) return this.#refuse(rule, clauses, doubt, this.#verdict(decision));
    if (doubt !== undefined) {
      this.#out.tell(rule, 'narrowed', `it refuses, where it would go on elsewhere: ${doubt}`);
      return this.#refuse(rule, clauses, undefined, this.#verdict(1));
    }
    const called = step.kind === 'call' ? findChain(this.#table, step.chain) : undefined;
    const goes = step.kind === 'call' && !step.comesBack ? 'goto' : 'jump';
    const end = called ? `${goes} ${this.#copy(called, kind)}` : 'return';
    return this.#print(rule, alternatives ?? [], end);
  }

  /** The clauses without what is known of every call of the kind; undefined if one can't hold. */
  #resolve(clauses: readonly Clause[], { id }: Kind): readonly Clause[] | undefined {
    const known: Readonly<Partial<Record<string, number>>> = {
      chain: chainNumber(this.#name),
      group: id,
      flags: TCP_SYN,
    };
    const left: Clause[] = [];
    for (const clause of clauses) {
      const open: Test[] = [];
      let holds = false;
      for (const test of clause) {
        const value = known[test.field];
        if (value === undefined) open.push(test);
        else holds ||= contains(test.set, BigInt(value)) !== test.negated;
      }
      if (holds) continue;
      if (open.length === 0) return undefined;
      left.push(open);
    }
    return left;
  }

  /** Fields that are to packets what they are to calls, or less. */
  #isUncertain({ field }: Test): boolean {
    if (isDetail(field)) return true;
    if (field === 'source') return this.#outward;
    if (field === 'sourcePort') return this.#outward && this.#name !== 'SENDTO';
    return !this.#outward && (field === 'uid' || field === 'gid');
  }

  /** Why packets may be others than those that the rule is about. */
  #doubt(rule: Rule, clauses: readonly Clause[]): string | undefined {
    if (rule.matches.some(({ name }) => describeMatch(name).asks !== undefined))
      return 'nft counts packets and not calls';
    const tests = clauses.flat();
    if (tests.some(({ field }) => field === 'mark'))
      return 'the mark of a packet is not always that of its socket';
    if (tests.some(({ field }) => field === 'uid' || field === 'gid')) {
      if (!this.#outward) return 'nft does not know whose listener it is';
      this.#out.tell(rule, 'note', 'nft asks who made the socket, and not who calls');
    }
    const detail = tests.find(({ field }) => isDetail(field))?.field;
    if (detail !== undefined) return `nft has no word for the ${detail} of a call`;
    if (tests.some((test) => this.#isUncertain(test)))
      return 'a packet has a source, where a socket that is not bound has none';
    return portless(clauses) ? 'ports of any protocol' : undefined;
  }

  #accept(rule: Rule, alternatives: Alternatives, doubt: string | undefined): readonly string[] {
    if (doubt === undefined) return this.#print(rule, alternatives, 'accept');
    this.#out.tell(rule, 'narrowed', `left out: ${doubt}`);
    return [];
  }

  /** With a doubt it refuses without the tests that are uncertain. */
  #refuse(
    rule: Rule,
    clauses: readonly Clause[],
    doubt: string | undefined,
    verdict: string,
  ): readonly string[] {
    if (doubt !== undefined) this.#out.tell(rule, 'narrowed', `it refuses more: ${doubt}`);
    const certain = clauses.filter((clause) => !clause.some((test) => this.#isUncertain(test)));
    const asked = portless(certain)
      ? certain.filter((clause) => !clause.some(({ field }) => field.endsWith('Port')))
      : certain;
    const alternatives = expand(asked);
    return alternatives ? this.#print(rule, alternatives, verdict) : [verdict];
  }

  #print(rule: Rule, alternatives: Alternatives, end: string): readonly string[] {
    return alternatives.flatMap((tests) => {
      const family = familyIn(tests);
      if (family === 'none') return [];
      const words = printTests(tests, family);
      if (words) return [[...words, end].join(' ')];
      this.#out.tell(rule, 'wider', 'nft has no words for its tests');
      return [];
    });
  }
}

const describeMatch = (name: MatchName): MatchDescriptor => MATCHES[name];

/** Whether ports are asked for where the protocol may have none. */
function portless(clauses: readonly Clause[]): boolean {
  const withPorts = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite].map(BigInt);
  const asksPorts = clauses.flat().some(({ field }) => field.endsWith('Port'));
  const isSure = clauses.some((clause) =>
    clause.every(
      ({ field, set, negated }) =>
        field === 'protocol' &&
        !negated &&
        set.kind === 'ranges' &&
        set.ranges.every(([from, to]) => from === to && withPorts.includes(from)),
    ),
  );
  return asksPorts && !isSure;
}

/** From clauses that must all hold to alternatives. */
function expand(clauses: readonly Clause[]): Alternatives | undefined {
  const count = clauses.reduce((all, { length }) => all * length, 1);
  if (count > MAX_ALTERNATIVES) return undefined;
  return clauses.reduce<Alternatives>(
    (all, clause) => all.flatMap((tests) => clause.map((test) => [...tests, test])),
    [[]],
  );
}

/** What nft can enforce of the table; a remark `wider` says that the text must not be used. */
export function exportNft(table: Table, file: string, locate: LocateOwner): Exported {
  const exporter = new Exporter(table, file, locate);
  const text = exporter.run();
  return { text, remarks: exporter.remarks.toSorted((a, b) => a.line - b.line) };
}
