/** The socket table as a document of nftables JSON. */
import {
  type Chain,
  type CounterOwner,
  counterOwners,
  type Group,
  type Match,
  type Rule,
  type Table,
} from '@sockfilter/table';
import { printJson } from 'nftables-json/plain';
import { FORMS } from './form.js';
import type { Json } from './json.js';
import { type LaidMatch, sameLayout, usualLayout } from './layout.js';
import { limitStatement } from './limit.js';
import { rowOf } from './row.js';
import { EXTENSION, selectorJson } from './selector.js';
import { setJson } from './set.js';
import { targetStatement } from './statement.js';

/** The form of documents that this program writes, and the highest that it reads. */
export const FORMAT = 1;

export const TABLE = { family: 'inet', table: 'socket' } as const;

/** The hook of each built-in chain is its name in small letters: none that nft knows. */
export function hookOf(chain: string): string {
  return chain.toLowerCase();
}

export interface WriteOptions {
  /** Counters as they are now; else those of the table. */
  readonly counters?: ((owner: CounterOwner) => bigint | undefined) | undefined;
  /** This chain only; all if undefined, and the groups. */
  readonly chain?: string | undefined;
  /** This rule of the chain only. */
  readonly number?: number | undefined;
}

function protocolOf(rule: Rule): number | undefined {
  for (const { options } of rule.matches)
    for (const { value, negated } of options)
      if (value.kind === 'protocol' && !negated) return value.protocol;
  return undefined;
}

interface WrittenMatch extends LaidMatch {
  readonly names: readonly string[];
  readonly statements: readonly Json[];
}

function writeMatch({ name, options }: Match, protocol: number | undefined): WrittenMatch {
  const statements: Json[] = [];
  const names: string[] = [];
  let comment: string | undefined;
  for (const { name: option, negated, value } of options) {
    const row = rowOf(name, option);
    if (row === 'comment') {
      comment = value.kind === 'text' ? value.text : undefined;
      continue;
    }
    names.push(option);
    if (row === 'limit') {
      if (names.length === 1) statements.push(limitStatement(options));
      continue;
    }
    const { right, mask } = FORMS[value.kind].write(value);
    const looked = selectorJson(row.selectorOf(value, protocol));
    const left = mask === undefined ? looked : { '&': [looked, mask] };
    const op = negated ? '!=' : '==';
    statements.push({ match: { op, left, right: row.constant ?? right } });
  }
  return { match: name, tests: names.length, comment, names, statements };
}

/** What stands beside `expr`: the comment, and how the tests make matches. */
function aside(matches: readonly WrittenMatch[]): { readonly [key: string]: Json } {
  const comments = matches.flatMap(({ comment }) => comment ?? []);
  const [comment] = comments;
  const tests = matches.flatMap(({ match, names }) => names.map((option) => ({ match, option })));
  const isUsual = sameLayout(usualLayout(tests, comment), matches);
  const layout = matches.map(({ match, tests: count, comment: text }): Json => {
    if (match !== 'comment') return { match, tests: count };
    return comments.length > 1 ? { match, comment: text ?? '' } : { match };
  });
  return {
    ...(comment !== undefined && { comment }),
    ...(!isUsual && { [EXTENSION]: { matches: layout } }),
  };
}

/** The rule as nft has rules; `number` is its place in the chain, from 1. */
function writeRule(chain: string, rule: Rule, number: number, packets: bigint | undefined): Json {
  const protocol = protocolOf(rule);
  const matches = rule.matches.map((match) => writeMatch(match, protocol));
  const expr: readonly Json[] = [
    ...matches.flatMap(({ statements }) => statements),
    { counter: packets === undefined ? null : { packets, bytes: 0 } },
    ...(rule.target ? [targetStatement(rule.target)] : []),
  ];
  return { rule: { ...TABLE, chain, handle: number, ...aside(matches), expr } };
}

function writeChain({ name, policy }: Chain, packets: bigint | undefined): Json {
  if (policy === undefined) return { chain: { ...TABLE, name } };
  const verdict = policy === 'ACCEPT' ? 'accept' : 'drop';
  const base = { type: 'filter', hook: hookOf(name), prio: 0, policy: verdict };
  const own = {
    ...(packets !== undefined && { packets }),
    ...(policy === 'AUDIT' && { audit: true }),
  };
  const extension = Object.keys(own).length === 0 ? {} : { [EXTENSION]: own };
  return { chain: { ...TABLE, name, ...base, ...extension } };
}

function writeGroup({ name, id, path }: Group): Json {
  const group = { name, id, ...(path !== undefined && { path }) };
  return { [EXTENSION]: { group } };
}

/** The key of the table's option, which nft has no word for. */
export const DENY_UNSEEN = 'deny-unseen';

function tableOption({ denyUnseen }: Table): { readonly [key: string]: Json } {
  return denyUnseen ? { [EXTENSION]: { [DENY_UNSEEN]: true } } : {};
}

/** The items of a document: metainfo, table, chains, groups, sets, rules. */
export function writeTable(table: Table, options: WriteOptions = {}): readonly Json[] {
  const { counters, chain: only, number } = options;
  const counts = new Map<Rule | Chain, bigint | undefined>();
  for (const owner of counterOwners(table)) {
    const count = counters ? counters(owner) : (owner.rule ?? owner.chain).packets;
    counts.set(owner.rule ?? owner.chain, count);
  }
  const chains = table.chains.filter(({ name }) => only === undefined || name === only);
  const rules = chains.flatMap((chain) =>
    chain.rules.flatMap((rule, at) =>
      number === undefined || number === at + 1
        ? [writeRule(chain.name, rule, at + 1, counts.get(rule))]
        : [],
    ),
  );
  return [
    { metainfo: { json_schema_version: 1, [EXTENSION]: { format: FORMAT } } },
    { table: { family: TABLE.family, name: TABLE.table, ...tableOption(table) } },
    ...chains.map((chain) => writeChain(chain, counts.get(chain))),
    ...(only === undefined ? table.groups.map(writeGroup) : []),
    ...(only === undefined ? table.sets.map((set) => setJson(set, TABLE)) : []),
    ...rules,
  ];
}

/** A document with an item on each line. */
export function printItems(items: readonly Json[]): string {
  return `{"nftables": [\n${items.map((item) => `  ${printJson(item)}`).join(',\n')}\n]}\n`;
}

/** The table as JSON, which reads back as the same table. */
export function printTable(table: Table, options: WriteOptions = {}): string {
  return printItems(writeTable(table, options));
}

/** The table as a rule file: with the counters that are not 0, and without numbers of rules. */
export function printTableFile(table: Table): string {
  return printTable(table, { counters: ({ rule, chain }) => (rule ?? chain).packets || undefined });
}
