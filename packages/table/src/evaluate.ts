/**
 * The reference meaning: a plain walk of the rules, with nothing between the text of the contract
 * and the verdict. Everything faster is tested against it.
 */

import { askTest, NO_WORLD, type State, type World } from './answer.js';
import { type Clause, holds } from './clause.js';
import { ruleCondition } from './condition.js';
import { type CounterOwner, counterOwners } from './counter.js';
import type { Destinations } from './destinations.js';
import { elementAt } from './element.js';
import { DROP_ERRNO, type Errno, REJECT_ERRNO } from './errno.js';
import { firstTests, isFree, type PlacedTest, placedTests } from './opaque.js';
import type { Packet } from './packet.js';
import type { Report } from './report.js';
import { builtinChain, type Chain, findChain, type Rule, type Table } from './table.js';
import type { EffectKind } from './target.js';
import { effectsOf, type Target } from './targets.js';

export interface Decision {
  readonly errno: Errno;
  /** Index of the counter of the rule or policy that decided. */
  readonly decider: number;
  /** Indexes of all counters that the call adds one to, in walking order; the decider is the last. */
  readonly counted: readonly number[];
  /** What is reported of it, in walking order. A refusal is reported beside that to whoever listens. */
  readonly reports: readonly Report[];
  /** The call as it goes on: what rules have made of it. One that fails is as it was asked for. */
  readonly packet: Packet;
}

/** What the opaque tests of a table see: the world, and the state of each by its number. */
export interface Moment extends World {
  readonly states: States;
}

/** By the number of the test, those that have been asked. */
export type States = ReadonlyMap<number, State>;

/** A decision, and the states that it leaves. */
export interface MomentaryDecision extends Decision {
  readonly states: States;
}

/** What has become of a packet at the end of a walk of a chain. */
type Walked = { readonly errno: Errno } | 'end' | 'return';

/** What one call has come to on its way. */
interface Trail {
  /** As rules have made it so far. */
  packet: Packet;
  readonly counted: number[];
  readonly reports: Report[];
  isTraced: boolean;
  readonly moment: Moment | undefined;
  readonly states: Map<number, State>;
}

/** Decides calls one by one; a table with opaque tests needs the moment, or a TypeError is thrown. */
export type Evaluate = (packet: Packet, moment?: Moment) => MomentaryDecision;

/**
 * How far behind the first the address and the port are that the call gets: of all pairs, the ports of an address
 * behind each other, the one that lies as far in them as what is drawn lies in all that can be.
 */
function choose(
  { chance = 0, persistence = 0 }: Packet,
  { address, port }: Destinations,
  isPersistent?: boolean,
): { readonly addresses: bigint; readonly ports: number } {
  const [drawn, draws] = isPersistent ? [persistence, 2n ** 16n] : [chance, 2n ** 32n];
  const ports = BigInt(port ? port.last - port.first + 1 : 1);
  const addresses = address ? address.last - address.first + 1n : 1n;
  const number = (BigInt(drawn) * addresses * ports) / draws;
  return { addresses: number / ports, ports: Number(number % ports) };
}

type RewritingTarget = Extract<Target, { readonly kind: 'mark' | 'dnat' | 'redirect' }>;

/** What the target makes of a call. */
function rewritten(packet: Packet, target: RewritingTarget): Packet {
  switch (target.kind) {
    case 'mark':
      return { ...packet, mark: ((packet.mark & ~target.mask) ^ target.value) >>> 0 };
    case 'dnat': {
      const { address, port, persistent } = target;
      const { destination, destinationPort } = packet;
      const { addresses, ports } = choose(packet, target, persistent);
      return {
        ...packet,
        destination: address ? address.first + addresses : destination,
        destinationPort: port ? port.first + ports : destinationPort,
      };
    }
    case 'redirect':
      return {
        ...packet,
        destination: packet.family === 4 ? 0x7f00_0001n : 1n,
        destinationPort: target.port
          ? target.port.first + choose(packet, target).ports
          : packet.destinationPort,
      };
  }
}

/** Asks the opaque tests of a rule whose fields hold, by its counter, up to the first that does not. */
function asker(table: Table): (counter: number, trail: Trail) => boolean {
  const tests = placedTests(table);
  const first = firstTests(tests);
  return (counter, { packet, moment, states }) => {
    const from = first.get(counter);
    if (from === undefined) return true;
    const subject = { packet, sets: table.sets };
    for (let n = from; tests[n]?.counter === counter; n++) {
      const { test }: PlacedTest = elementAt(tests, n);
      if (!moment && isFree(test))
        throw new TypeError('the table has tests that need a moment to be asked');
      const { holds: does, next } = askTest(test, states.get(n), moment ?? NO_WORLD, subject);
      if (next) states.set(n, next);
      if (!does) return false;
    }
    return true;
  };
}

const TAKE: Readonly<Record<EffectKind, (counter: number, trail: Trail) => void>> = {
  count: (counter, { counted }) => counted.push(counter),
  log: (counter, { reports }) => reports.push({ kind: 'log', counter }),
  audit: (counter, { reports }) => reports.push({ kind: 'audit', counter }),
  trace: (_, trail) => {
    trail.isTraced = true;
  },
  // What becomes of the call stands with the target's step.
  rewrite: () => undefined,
};

function takeEffects({ target }: Rule, counter: number, trail: Trail): void {
  for (const { kind } of effectsOf(target)) TAKE[kind](counter, trail);
  if (trail.isTraced) trail.reports.push({ kind: 'trace', counter });
}

/** Prepares the table once, for many packets. */
export function evaluator(table: Table): Evaluate {
  const conditions = new Map<Rule, readonly Clause[]>();
  const counters = new Map<Rule | Chain, number>();
  counterOwners(table).forEach(({ chain, rule }: CounterOwner, index) => {
    counters.set(rule ?? chain, index);
    if (rule) conditions.set(rule, ruleCondition(rule, table));
  });
  const counterOf = (owner: Rule | Chain) => {
    const counter = counters.get(owner);
    if (counter === undefined) throw new TypeError('the rule or chain is not in the table');
    return counter;
  };
  const fits = (rule: Rule, packet: Packet) =>
    (conditions.get(rule) ?? []).every((clause) => clause.some((test) => holds(test, packet)));
  const asks = asker(table);

  function walk(chain: Chain, trail: Trail): Walked {
    for (const rule of chain.rules) {
      if (!fits(rule, trail.packet)) continue;
      const counter = counterOf(rule);
      if (!asks(counter, trail)) continue;
      takeEffects(rule, counter, trail);
      const { target } = rule;
      switch (target?.kind) {
        case undefined:
        case 'log':
        case 'nflog':
        case 'trace':
          break;
        case 'mark':
        case 'dnat':
        case 'redirect':
          trail.packet = rewritten(trail.packet, target);
          break;
        case 'accept':
          return { errno: 0 };
        case 'drop':
          return { errno: target.audited ? 0 : DROP_ERRNO };
        case 'reject':
          return { errno: target.audited ? 0 : REJECT_ERRNO[target.errno] };
        case 'return':
          return 'return';
        case 'jump':
        case 'goto': {
          const called = findChain(table, target.chain);
          if (!called) throw new TypeError(`no chain ${target.chain}`);
          const step = walk(called, trail);
          if (typeof step === 'object') return step;
          if (target.kind === 'goto') return 'end';
          break;
        }
        default:
          throw new TypeError(`no target ${target satisfies never}`);
      }
    }
    return 'end';
  }

  return (packet, moment) => {
    const chain = builtinChain(table, packet.chain);
    const counted: number[] = [];
    const reports: Report[] = [];
    const states = new Map(moment?.states);
    const trail: Trail = { packet, counted, reports, isTraced: false, moment, states };
    const step = walk(chain, trail);
    if (typeof step === 'string') {
      const counter = counterOf(chain);
      counted.push(counter);
      if (chain.policy === 'AUDIT') reports.push({ kind: 'audit', counter });
      if (trail.isTraced) reports.push({ kind: 'trace', counter });
    }
    const errno = typeof step === 'object' ? step.errno : chain.policy === 'DROP' ? DROP_ERRNO : 0;
    const decider = elementAt(counted, counted.length - 1);
    const goesOn = errno === 0 ? trail.packet : packet;
    return { errno, decider, counted, reports, packet: goesOn, states };
  };
}

/** What becomes of one call. */
export function evaluate(table: Table, packet: Packet, moment?: Moment): MomentaryDecision {
  return evaluator(table)(packet, moment);
}
