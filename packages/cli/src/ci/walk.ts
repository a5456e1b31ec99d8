/** The walk of a call, rule by rule, for `explain --rules`. */
import { printOwner } from '@sockfilter/iptables';
import { Tracer, type TraceStep } from '@sockfilter/policy';
import {
  assumeIn,
  type Circumstances,
  detailRecord,
  type Field,
  type Packet,
  type Table,
} from '@sockfilter/table';
import { printColumns } from '../columns.js';

/** Fields in the words of rules. */
const WORDS: Readonly<Record<Field, string>> = {
  chain: 'chain',
  group: 'group',
  family: 'family',
  protocol: 'protocol',
  source: 'source',
  destination: 'destination',
  sourcePort: 'source port',
  destinationPort: 'destination port',
  flags: 'flags',
  uid: 'uid',
  gid: 'gid',
  mark: 'mark',
  ...detailRecord((detail) => detail),
  chance: 'chance',
  persistence: 'persistence',
};

/** A rule that was asked; the last is the rule or policy that decided. */
export interface Asked {
  readonly chain: string;
  /** Null for the policy. */
  readonly rule: number | null;
  readonly text: string;
  readonly matched: boolean;
  /** What about the call the rule does not want. */
  readonly failed: readonly string[];
}

export function askedOf({ owner, failed, matched }: TraceStep): Asked {
  const { chain, rule, number } = owner;
  return {
    chain: chain.name,
    rule: rule ? number : null,
    text: printOwner(owner),
    matched,
    failed: failed.map((field) => WORDS[field]),
  };
}

export function walkRules(
  table: Table,
  packet: Packet,
  circumstances: Circumstances,
): readonly Asked[] {
  const assume = assumeIn(circumstances);
  return new Tracer(table).trace(packet, { assume }).steps.map(askedOf);
}

/** A line for each: where it stands, what came of it, its text. */
export function printWalk(steps: readonly Asked[]): string {
  return printColumns(
    steps.map(({ chain, rule, text, matched, failed }) => [
      `  ${chain} ${rule ?? 'policy'}`,
      matched ? 'matches' : failed.length > 0 ? `not the ${failed.join(', ')}` : 'asked, no',
      text,
    ]),
  );
}
