/** What `nft -j list ruleset` prints, as a packet filter. */
import type { Source } from '@sockfilter/language';
import type { Family } from '@sockfilter/table';
import {
  type Chain,
  type Document,
  type Expression,
  isList,
  NftFormatError,
  type ParsedDocument,
  parseDocument,
  printPath,
  type Rule,
  type Table,
} from 'nftables-json';
import type { Remark } from '../draft.js';
import {
  type ForeignChain,
  type ForeignRule,
  mayRefuse,
  type PacketFilter,
} from '../packetfilter.js';
import { readRule, ruleText } from './rule.js';

/** The hooks that a packet passes on its way in and out, in their order. */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  INPUT: ['ingress', 'prerouting', 'input'],
  OUTPUT: ['output', 'postrouting', 'egress'],
  FORWARD: ['forward'],
};

const FAMILIES: Readonly<Record<string, Family>> = { ip: 4, ip6: 6 };

/** Tables of frames: what they refuse comes by one device, or by a bridge. */
const isOfDevice = ({ family, hook }: Chain) =>
  family === 'netdev' || family === 'bridge' || hook === 'ingress' || hook === 'egress';

const keyOf = (family: string, table: string, name: string) => `${family} ${table} ${name}`;

interface OpenChain extends Omit<ForeignChain, 'rules'> {
  readonly base: Chain;
  readonly rules: ForeignRule[];
}

class RulesetReader {
  readonly #file: string;
  readonly #document: Document;
  readonly #chains = new Map<string, OpenChain>();
  readonly #sets = new Map<string, Expression>();
  readonly #dormant = new Set<string>();
  readonly #remarks: Remark[] = [];
  #untracked = false;

  constructor(file: string, { document, unknown }: ParsedDocument) {
    this.#file = file;
    this.#document = document;
    for (const { path, place } of unknown) {
      const [, , kind, , , statement] = path;
      // A statement of a kind that is not known refuses where it stands.
      if (kind === 'rule' && path.length === 6 && typeof statement === 'string') continue;
      const isRule = kind === 'rule' || typeof kind !== 'string';
      this.#tell(path, place, isRule ? 'wider' : 'note', 'it is not known, and may restrict it');
    }
  }

  #tell(
    path: readonly (string | number)[],
    place: string,
    fate: Remark['fate'],
    reason: string,
  ): void {
    const line = typeof path[1] === 'number' ? path[1] + 1 : 1;
    this.#remarks.push({ file: this.#file, line, place, fate, text: '', reason });
  }

  /** Tables, chains and sets, to which rules refer before they are listed. */
  #declare(): void {
    for (const [at, item] of this.#document.nftables.entries()) {
      if ('table' in item) this.#table(item.table);
      else if ('chain' in item) this.#chain(item.chain);
      else if ('set' in item || 'map' in item) {
        const { family, table, name, elem } = 'set' in item ? item.set : item.map;
        this.#elements(keyOf(family, table, name), elem ?? []);
      } else if ('element' in item) {
        const { family, table, name, elem } = item.element;
        this.#elements(keyOf(family, table, name), elem);
      } else if (
        Object.keys(item).some((kind) =>
          /^(add|insert|create|replace|delete|destroy|flush|rename|reset)$/.test(kind),
        )
      )
        this.#tell(
          ['nftables', at],
          printPath(['nftables', at]),
          'wider',
          'it is a command, and no part of a ruleset: import what `nft -j list ruleset` prints',
        );
    }
  }

  #table({ family, name, flags }: Table): void {
    if ([flags ?? []].flat().includes('dormant')) this.#dormant.add(`${family} ${name}`);
  }

  #chain(base: Chain): void {
    const { family, table, name, hook, policy } = base;
    this.#chains.set(keyOf(family, table, name), {
      base,
      table: `${family} ${table}`,
      name,
      policy: hook === undefined ? undefined : policy === 'drop' ? 'DROP' : 'ACCEPT',
      family: FAMILIES[family],
      rules: [],
    });
  }

  #elements(key: string, elem: Expression): void {
    const known = this.#sets.get(key) ?? [];
    const list = (each: Expression) => (typeof each === 'object' && isList(each) ? each : [each]);
    this.#sets.set(key, [...list(known), ...list(elem)]);
  }

  #rule(rule: Rule, at: number): void {
    const { family, table, chain } = rule;
    const own = this.#chains.get(keyOf(family, table, chain));
    const place = printPath(['nftables', at, 'rule']);
    if (!own) {
      this.#tell(['nftables', at], place, 'wider', `its chain \`${chain}\` is not listed`);
      return;
    }
    const text = ruleText(rule);
    if (rule.expr?.some((each) => typeof each === 'object' && 'notrack' in each))
      this.#untracked = true;
    const rules = readRule(rule, {
      line: at + 1,
      place,
      text,
      family: FAMILIES[family],
      keyOf: (name) => keyOf(family, table, name),
      find: (name) => this.#sets.get(keyOf(family, table, name)),
      addChain: (added) => {
        const key = `${keyOf(family, table, chain)} besides ${this.#chains.size}`;
        const { base } = own;
        const name = `${chain}-besides`;
        const made = { base, table: own.table, name, policy: undefined, family: own.family };
        this.#chains.set(key, { ...made, rules: [...added] });
        return key;
      },
    });
    for (const rule of rules) own.rules.push(rule);
  }

  read(): PacketFilter {
    this.#declare();
    for (const [at, item] of this.#document.nftables.entries())
      if ('rule' in item) this.#rule(item.rule, at);
    const whole = {
      file: this.#file,
      chains: this.#chains,
      untracked: this.#untracked,
      findsSockets: true,
      stages: new Map<string, readonly string[]>(),
      remarks: this.#remarks,
    };
    const stages = new Map(
      Object.entries(HOOKS).flatMap(([name, hooks]) => {
        const passed = this.#stages(whole, name, hooks);
        return [
          [name, passed],
          [name.toLowerCase(), passed],
        ] as const;
      }),
    );
    return { ...whole, stages };
  }

  #stages(whole: PacketFilter, name: string, hooks: readonly string[]): readonly string[] {
    const passed = [...this.#chains]
      .filter(([, { base, policy }]) => policy !== undefined && hooks.includes(base.hook ?? ''))
      .filter(([, { base, table }]) => base.family !== 'arp' && !this.#dormant.has(table))
      .toSorted(([, { base: a }], [, { base: b }]) => {
        const hook = hooks.indexOf(a.hook ?? '') - hooks.indexOf(b.hook ?? '');
        return hook === 0 ? (a.prio ?? 0) - (b.prio ?? 0) : hook;
      })
      .map(([key]) => key);
    const refusing = passed.filter((key) => mayRefuse(whole, key));
    for (const key of refusing) this.#tellDevice(key, name);
    // One that refuses nothing says at least what is accepted.
    const own = passed.find((key) => {
      const { base } = this.#chains.get(key) ?? {};
      return base?.hook === name.toLowerCase() && base.type === 'filter';
    });
    return refusing.length > 0 ? refusing : own === undefined ? [] : [own];
  }

  #tellDevice(key: string, name: string): void {
    const chain = this.#chains.get(key);
    if (!chain || !isOfDevice(chain.base)) return;
    const { rules, name: own, table } = chain;
    const [first] = rules;
    this.#remarks.push({
      file: this.#file,
      line: first?.line ?? 1,
      place: first?.place,
      fate: 'narrowed',
      text: '',
      reason: `${own} of the table ${table} judges frames of its device: here it judges all of ${name}`,
    });
  }
}

/** What else the text may be. */
function hintFor(text: string): string {
  if (/^\*\w/m.test(text)) return ': is it for `--from iptables-save`?';
  return /^table \w/m.test(text) ? ': this is what `nft list ruleset` prints without `-j`' : '';
}

/** The document as a packet filter; what can't be read is told as wider, and there are no rules then. */
export function readRuleset({ name: file, text }: Source): PacketFilter {
  try {
    return new RulesetReader(file, parseDocument(text)).read();
  } catch (error) {
    if (!(error instanceof NftFormatError)) throw error;
    const remarks = error.problems.map(({ path, place, message }): Remark => {
      const line = typeof path[1] === 'number' ? path[1] + 1 : 1;
      const plain = message.startsWith(`${place}: `) ? message.slice(place.length + 2) : message;
      const reason = `${plain}${hintFor(text)}`;
      return { file, line, place, fate: 'wider', text: '', reason };
    });
    const chains = new Map<string, ForeignChain>();
    const stages = new Map(Object.keys(HOOKS).map((hook) => [hook, []]));
    return { file, chains, untracked: false, findsSockets: true, stages, remarks };
  }
}
