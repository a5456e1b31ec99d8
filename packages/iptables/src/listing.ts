/** Tables as people read them: `-L` in columns and `-S` as commands. Always numeric. */
import {
  type Chain,
  type CounterOwner,
  counterOwners,
  type Family,
  fullMask,
  type Match,
  type MatchOption,
  type Rule,
  references,
  type Table,
} from '@sockfilter/table';
import { printPolicy } from './policyword.js';
import { printRule } from './print.js';
import { PROTOCOL_MATCHES } from './ruledraft.js';
import { DENY_UNSEEN_LINE } from './save.js';
import { matchSyntax, optionSyntax } from './syntax.js';
import { listTarget, targetWord } from './target.js';
import { familyOf } from './values/address.js';
import { printValue } from './values.js';

export interface ListingOptions {
  /** This chain only; all if undefined. */
  readonly chain?: string | undefined;
  /** This rule of the chain only. */
  readonly number?: number | undefined;
  /** With counters. */
  readonly verbose?: boolean;
  /** Counters in full, not in K, M and G. */
  readonly exact?: boolean;
  readonly lineNumbers?: boolean;
  /** The counters now; without it, what the table says. */
  readonly counters?: ((owner: CounterOwner) => bigint) | undefined;
}

type Count = (owner: Rule | Chain) => bigint;

function countIn(table: Table, { counters }: ListingOptions): Count {
  if (!counters) return ({ packets }) => packets;
  const counts = new Map<Rule | Chain, bigint>();
  for (const owner of counterOwners(table)) counts.set(owner.rule ?? owner.chain, counters(owner));
  return (owner) => counts.get(owner) ?? 0n;
}

/** As iptables: five digits, then thousands with K, M, G and T, rounded. */
function abbreviate(count: bigint): string {
  let rest = count;
  let unit = '';
  for (const next of ['K', 'M', 'G', 'T']) {
    if (rest <= (unit === '' ? 99_999n : 9_999n)) break;
    rest = (rest + 500n) / 1000n;
    unit = next;
  }
  return `${rest}${unit}`;
}

function findOption(rule: Rule, name: string): MatchOption | undefined {
  return rule.matches.find((match) => match.name === 'ip')?.options.find((o) => o.name === name);
}

function ruleFamily(rule: Rule): Family | undefined {
  if (findOption(rule, 'ipv4')) return 4;
  if (findOption(rule, 'ipv6')) return 6;
  const values = rule.matches.flatMap(({ options }) => options.map(({ value }) => familyOf(value)));
  return values.find((family) => family !== undefined);
}

const EVERYWHERE: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

/** `!` or a blank, then the network without the length of a single address. */
function addressColumn(rule: Rule, name: 'source' | 'destination'): string {
  const option = findOption(rule, name);
  const family = ruleFamily(rule);
  if (option?.value.kind !== 'network') return ` ${family ? EVERYWHERE[family] : 'anywhere'}`;
  const { mask, family: of } = option.value;
  const text = printValue(option.value);
  const shown = mask === fullMask(of) ? text.replace(/\/\d+$/, '') : text;
  return `${option.negated ? '!' : ' '}${shown}`;
}

function listOption(match: Match, { name, negated, value }: MatchOption): string {
  const text = `${negated ? '!' : ''}${printValue(value)}`;
  return optionSyntax(match.name, name).list(text, negated);
}

function listMatch(match: Match): string {
  const { list } = matchSyntax(match.name);
  if (!list)
    return match.options
      .map((option) => listOption(match, option))
      .filter((text) => text !== '')
      .join(' ');
  return list((name) => {
    const option = match.options.find((each) => each.name === name);
    return option && printValue(option.value);
  });
}

/** What the columns leave unsaid: `tcp dpt:80`. */
function extraText(rule: Rule): string {
  const matches = rule.matches.flatMap((match) => [
    PROTOCOL_MATCHES.includes(match.name) ? match.name : '',
    listMatch(match),
  ]);
  const [before, after] = listTarget(rule.target);
  return [before, ...matches, after].filter((text) => text !== '').join(' ');
}

function listRule(rule: Rule, number: number, count: Count, options: ListingOptions): string {
  const protocol = findOption(rule, 'protocol');
  const shown = protocol ? printValue(protocol.value) : 'all';
  const columns = [
    options.lineNumbers ? `${String(number).padEnd(4)} ` : '',
    options.verbose ? counterColumns(count(rule), options) : '',
    `${targetWord(rule.target).padEnd(9)} `,
    `${protocol?.negated ? '!' : ' '}${shown.padEnd(4)} -- `,
    `${addressColumn(rule, 'source').padEnd(20)} `,
    `${addressColumn(rule, 'destination').padEnd(20)}  `,
    extraText(rule),
  ];
  return columns.join('').trimEnd();
}

/** A rule as iptables -v tells it when a command is done; there are no interfaces to name. */
export function printVerbose(rule: Rule): string {
  const protocol = findOption(rule, 'protocol');
  const shown = protocol ? printValue(protocol.value) : 'all';
  const sign = protocol?.negated ? '!' : ' ';
  const from = addressColumn(rule, 'source');
  const to = addressColumn(rule, 'destination');
  const extra = extraText(rule);
  const text = `${targetWord(rule.target)} ${sign}${shown} opt -- in * out * ${from}  ->${to}`;
  return extra === '' ? text : `${text}  ${extra}`;
}

function counterColumns(packets: bigint, { exact }: ListingOptions): string {
  if (exact) return `${String(packets).padStart(8)} ${'0'.padStart(10)} `;
  return `${abbreviate(packets).padStart(5)} ${'0'.padStart(5)} `;
}

function listHeader(table: Table, chain: Chain, count: Count, options: ListingOptions): string {
  const packets = options.exact ? String(count(chain)) : abbreviate(count(chain));
  const policy = `policy ${printPolicy(chain.policy ?? 'ACCEPT')}${options.verbose ? ` ${packets} packets, 0 bytes` : ''}`;
  const called = `${references(table, chain.name)} references`;
  const [pkts, bytes] = options.exact ? [8, 10] : [5, 5];
  const columns = [
    options.lineNumbers ? 'num  ' : '',
    options.verbose ? `${'pkts'.padStart(pkts)} ${'bytes'.padStart(bytes)} ` : '',
    'target     prot opt source               destination',
  ];
  const title = `Chain ${chain.name} (${chain.policy === undefined ? called : policy})`;
  return `${title}\n${columns.join('')}`;
}

/** One chain, or all: the built-in ones, and then the user's by name, as iptables sorts them. */
function chosenChains(table: Table, { chain }: ListingOptions): readonly Chain[] {
  if (chain !== undefined) return table.chains.filter(({ name }) => name === chain);
  const users = table.chains.filter(({ policy }) => policy === undefined);
  const sorted = users.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [...table.chains.filter(({ policy }) => policy !== undefined), ...sorted];
}

/**
 * As `iptables -L -n`: a header and a line for each rule, chains parted by empty lines. A rule of
 * one family shows 0.0.0.0/0 or ::/0 where it takes any address, a rule of both `anywhere`.
 */
export function printListing(table: Table, options: ListingOptions = {}): string {
  const count = countIn(table, options);
  const { number } = options;
  const blocks = chosenChains(table, options).map((chain) => {
    const lines = chain.rules.map((rule, at) => listRule(rule, at + 1, count, options));
    if (number !== undefined) return lines.slice(number - 1, number).join('\n');
    return [listHeader(table, chain, count, options), ...lines].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

/** As `iptables -S`: policies, user chains, the option of the table, then the rules; verbose with counters. */
export function printRules(table: Table, options: ListingOptions = {}): string {
  const count = countIn(table, options);
  const { verbose, number } = options;
  const chains = chosenChains(table, options);
  const heads = chains.map((chain) => {
    if (chain.policy === undefined) return `-N ${chain.name}`;
    return `-P ${chain.name} ${printPolicy(chain.policy)}${verbose ? ` -c ${count(chain)} 0` : ''}`;
  });
  const rules = chains.flatMap(({ name, rules: all }) =>
    all.map((rule) => printRule(name, rule, verbose ? count(rule) : undefined)),
  );
  const isWhole = options.chain === undefined;
  const option = isWhole && table.denyUnseen ? [DENY_UNSEEN_LINE] : [];
  const lines =
    number === undefined ? [...heads, ...option, ...rules] : rules.slice(number - 1, number);
  return lines.map((line) => `${line}\n`).join('');
}
