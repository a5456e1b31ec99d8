/** Every target there is. A new one is a file in targets/ and its two rows here. */
import type { ChainDescriptor } from './chain.js';
import { type BuiltinChain, CHAINS } from './chains.js';
import type { Clause } from './clause.js';
import type { Family } from './packet.js';
import {
  changedParts,
  isUnchanged,
  REWRITTEN_PARTS,
  type Rewriting,
  UNCHANGED,
} from './rewriting.js';
import type {
  CallTarget,
  Effect,
  PlainTarget,
  Step,
  TargetDescriptor,
  TargetOption,
} from './target.js';
import { accept } from './targets/accept.js';
import { type DnatTarget, dnat } from './targets/dnat.js';
import { type DropTarget, drop } from './targets/drop.js';
import { goto } from './targets/goto.js';
import { jump } from './targets/jump.js';
import { type LogTarget, log } from './targets/log.js';
import { type MarkTarget, mark } from './targets/mark.js';
import { type NflogTarget, nflog } from './targets/nflog.js';
import { type RedirectTarget, redirect } from './targets/redirect.js';
import { type RejectTarget, reject } from './targets/reject.js';
import { returnTarget } from './targets/return.js';
import { trace } from './targets/trace.js';
import { contains } from './valueset.js';

interface Targets {
  readonly accept: PlainTarget<'accept'>;
  readonly drop: DropTarget;
  readonly reject: RejectTarget;
  readonly return: PlainTarget<'return'>;
  readonly log: LogTarget;
  readonly nflog: NflogTarget;
  readonly trace: PlainTarget<'trace'>;
  readonly mark: MarkTarget;
  readonly dnat: DnatTarget;
  readonly redirect: RedirectTarget;
  readonly jump: CallTarget<'jump'>;
  readonly goto: CallTarget<'goto'>;
}

export type TargetKind = keyof Targets;

type TargetOf<K extends TargetKind> = { readonly [P in K]: { readonly kind: P } & Targets[P] }[K];

/** What a rule does with the calls that it matches. */
export type Target = TargetOf<TargetKind>;

export const TARGETS: { readonly [K in TargetKind]: TargetDescriptor<TargetOf<K>> } = {
  accept,
  drop,
  reject,
  return: returnTarget,
  log,
  nflog,
  trace,
  mark,
  dnat,
  redirect,
  jump,
  goto,
};

export function isTargetKind(name: string): name is TargetKind {
  return Object.hasOwn(TARGETS, name);
}

function rowOf<K extends TargetKind>(target: TargetOf<K>): TargetDescriptor<TargetOf<K>> {
  return TARGETS[target.kind];
}

/** An option that the target has. */
export function targetOption(kind: TargetKind, name: string): TargetOption {
  const options: Readonly<Record<string, TargetOption>> = TARGETS[kind].options;
  const option = options[name];
  if (!option) throw new TypeError(`target ${kind} has no option ${name}`);
  return option;
}

const NEXT: Step = { kind: 'next' };

/** Where the walk of a packet goes that a rule with the target matches. */
export function stepOf(target: Target | undefined): Step {
  return target ? rowOf(target).step(target) : NEXT;
}

/** The chain that the target calls, if it does. */
export function calledChain(target: Target | undefined): string | undefined {
  const step = stepOf(target);
  return step.kind === 'call' ? step.chain : undefined;
}

const COUNT: readonly Effect[] = [{ kind: 'count' }];

/** What a rule with the target does beside its step. Every rule counts. */
export function effectsOf(target: Target | undefined): readonly Effect[] {
  const own = target ? rowOf(target).effects(target) : [];
  return own.length === 0 ? COUNT : [...COUNT, ...own];
}

/** What a rule with the target makes of the calls that it matches; UNCHANGED itself if it leaves them as they are. */
export function rewritingOf(target: Target | undefined): Rewriting {
  for (const effect of target ? rowOf(target).effects(target) : [])
    if (effect.kind === 'rewrite' && !isUnchanged(effect.rewriting)) return effect.rewriting;
  return UNCHANGED;
}

/** What the target restricts its rule to beside the matches. */
export function targetCondition(target: Target | undefined): readonly Clause[] {
  return (target && rowOf(target).condition?.(target)) ?? [];
}

/** The family that rules with the target are for, if for one alone. */
export function targetFamily(target: Target | undefined): Family | undefined {
  return target && rowOf(target).familyOf?.(target);
}

/** Whether rules with the target must name a protocol that has ports. */
export function needsPorts(target: Target | undefined): boolean {
  return (target && rowOf(target).portsOf?.(target)) ?? false;
}

/** The target in words; `no target`. */
export function targetText(target: Target | undefined): string {
  return target ? rowOf(target).text(target) : 'no target';
}

/** What the options of the target say, by name. */
export function targetValues(target: Target) {
  return rowOf(target).values(target);
}

/** Why the chain can't have the target, or undefined. */
export function targetAbsence(target: Target, chain: BuiltinChain): string | undefined {
  const { word, absent, text } = rowOf(target);
  const reason = absent[chain];
  if (reason !== undefined) return `${word} is not available in ${chain}: ${reason}`;
  for (const [part, { keep, flip }] of changedParts(rewritingOf(target))) {
    const { bounds }: ChainDescriptor = CHAINS[chain];
    const bound = bounds[REWRITTEN_PARTS[part].field];
    if (bound && keep === 0n && !contains(bound.set, flip))
      return `${text(target)} is not available in ${chain}: ${bound.reason}`;
  }
  return undefined;
}
