/** What a table lacks so that it accepts calls. */

import { rewrites } from '@sockfilter/diagram';
import {
  type LearnOptions,
  learnedChain,
  learnedRules,
  learnedWords,
  type SeenCall,
} from '@sockfilter/interop';
import { parseCommand } from '@sockfilter/iptables';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  contains,
  enforced,
  insertRules,
  isBuiltinChain,
  type Packet,
  type Rule,
  reachedChains,
  type Table,
} from '@sockfilter/table';
import { DiagnosticsError } from '../failure.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { type Place, Placer, type Unplaced } from './placing.js';
import { allows } from './ruletext.js';

export interface Extended {
  readonly table: Table;
  /** Calls that nothing was added for. */
  readonly left: readonly Left[];
}

/** A call that has no rule, and why. */
export interface Left extends Unplaced {
  readonly packet: Packet;
}

/** A call as it comes to where its rule is to be, and as it was asked for. */
interface PlacedCall extends SeenCall {
  readonly asked: Packet;
  readonly place: Place;
}

const NOBODY: ReadonlySet<PlacedCall> = new Set();

const MISLEADING = 'a rule for them would accept others before those are rewritten';

function placeCalls(table: Table, calls: readonly SeenCall[], options: LearnOptions) {
  const placer = new Placer(enforced(table));
  const placed: PlacedCall[] = [];
  const left: Left[] = [];
  for (const { packet: asked, times } of calls) {
    const place = placer.place(asked, learnedChain(asked, options));
    if ('reason' in place) left.push({ packet: asked, reason: place.reason });
    else placed.push({ packet: place.packet, times, asked, place });
  }
  return { placed, left };
}

/** In runs of one key each. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

const placeKey = ({ place: { chain, number, isLearned } }: PlacedCall) =>
  `${chain} ${number} ${isLearned}`;

/** What of the calls has a rule in a chain that other built-in chains call too, in which nobody has seen them. */
function sharedWith(table: Table, placed: readonly PlacedCall[], { prefix }: LearnOptions) {
  const wordsOf = (call: PlacedCall, chain: BuiltinChain) =>
    `${placeKey(call)} ${chain} ${call.packet.group} ${learnedWords(call.packet, prefix)}`;
  const seen = new Set(placed.map((call) => wordsOf(call, call.packet.chain)));
  const reached = new Map(
    BUILTIN_CHAINS.map((chain) => [
      chain,
      new Set(reachedChains(table, chain).map(({ name }) => name)),
    ]),
  );
  return (call: PlacedCall): BuiltinChain | undefined => {
    const { place, packet } = call;
    if (place.isLearned || isBuiltinChain(place.chain)) return undefined;
    return BUILTIN_CHAINS.find((chain) => {
      const protocols = boundOf(chain, 'protocol')?.set;
      return (
        reached.get(chain)?.has(place.chain) &&
        (!protocols || contains(protocols, BigInt(packet.protocol))) &&
        !seen.has(wordsOf(call, chain))
      );
    });
  };
}

function parseRule(chain: string, words: string, table: Table): readonly Rule[] {
  const text = `-A ${chain} ${words}`;
  const parsed = parseCommand(wordsOf(text), { names: SYSTEM_NAMES, groups: table.groups });
  if (parsed.diagnostics.length > 0 || parsed.command?.kind !== 'append')
    throw new DiagnosticsError(parsed.diagnostics, parsed.source);
  return parsed.command.rules;
}

/** The words of a rule of ours: only its comment has quotes, and no other signs. */
const wordsOf = (text: string) =>
  [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);

/** The rules for calls of one place, each with those that it is for. */
function rulesFor(
  calls: readonly PlacedCall[],
  { chain, isLearned }: Place,
  options: LearnOptions,
  table: Table,
): readonly (readonly [rule: Rule, calls: readonly PlacedCall[]])[] {
  const ofGroups = groupBy(
    calls.toSorted((a, b) => a.packet.group - b.packet.group),
    ({ packet }) => String(packet.group),
  );
  return ofGroups.flatMap((own) =>
    learnedRules(own, options).flatMap(({ text, calls: each }) => {
      const group = isLearned ? '' : `-m cgroup --id ${own[0]?.packet.group} `;
      return parseRule(chain, `${group}${text}`, table).map((rule) => [rule, each] as const);
    }),
  );
}

/** The table with rules for the calls. */
function insertAll(table: Table, calls: readonly PlacedCall[], options: LearnOptions) {
  const added = new Map<Rule, readonly PlacedCall[]>();
  let grown = table;
  // From the end, so that numbers stay what they are.
  for (const own of groupBy(
    calls.toSorted((a, b) => b.place.number - a.place.number),
    placeKey,
  )) {
    const [first] = own;
    if (!first) continue;
    const rules = rulesFor(own, first.place, options, table);
    for (const [rule, each] of rules) added.set(rule, each);
    const { chain, number } = first.place;
    grown = insertRules(
      grown,
      chain,
      number,
      rules.map(([rule]) => rule),
    );
  }
  return { grown, added };
}

/** The calls whose rules let others of the calls pass as others than these are to become. */
function misleadingCalls(
  table: Table,
  calls: readonly PlacedCall[],
  added: ReadonlyMap<Rule, readonly PlacedCall[]>,
): ReadonlySet<PlacedCall> {
  const placer = new Placer(table);
  const found = calls.flatMap(({ asked, packet }) => placer.misleading(asked, packet));
  return new Set(found.flatMap((rule) => added.get(rule) ?? []));
}

/**
 * The table with rules for the calls, none of which it accepts: each accepts what a call has become where it stands, so
 * that what rewrites the call still does.
 */
export function extend(table: Table, calls: readonly SeenCall[], options: LearnOptions): Extended {
  const { placed, left } = placeCalls(table, calls, options);
  const shared = sharedWith(table, placed, options);
  let kept: readonly PlacedCall[] = placed.filter((call) => {
    const other = shared(call);
    if (other) {
      const reason = `a rule for them in chain ${call.place.chain} would be one for ${other} too`;
      left.push({ packet: call.asked, reason });
    }
    return !other;
  });
  for (;;) {
    const { grown, added } = insertAll(table, kept, options);
    const misleading = rewrites(table) ? misleadingCalls(grown, kept, added) : NOBODY;
    if (misleading.size === 0) {
      const accepts = allows(grown);
      if (kept.every(({ asked }) => accepts(asked))) return { table: grown, left };
      throw new Error('rules that were learned do not accept what was seen');
    }
    for (const { asked } of misleading) left.push({ packet: asked, reason: MISLEADING });
    kept = kept.filter((call) => !misleading.has(call));
  }
}
