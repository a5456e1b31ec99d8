/** The places where programs are attached, in the order in which they are. */
import { type AttachType, hasBpfLsm, type ProgramSpec } from '@sockfilter/bpf';
import {
  type BuiltinChain,
  builtinChain,
  calledChain,
  chainTargets,
  findChain,
  leadsElsewhere,
  PROTOCOL,
  type Rule,
  rewritingOf,
  stepOf,
  type Table,
} from '@sockfilter/table';
import type { Offsets } from './offsets.js';
import { acceptProgram } from './program/accept.js';
import { mkdirProgram, releaseProgram, rmdirProgram } from './program/cgroups.js';
import { egressProgram } from './program/egress.js';
import { ingressProgram } from './program/ingress.js';
import { peerProgram, type Question } from './program/peer.js';
import { postBindProgram } from './program/postbind.js';
import { type CallChain, sockAddrProgram } from './program/sockaddr.js';
import { sockCreateProgram } from './program/sockcreate.js';
import { sockoptProgram } from './program/sockopt.js';

export interface Hook {
  /** Name of its pin. */
  readonly name: string;
  readonly attach:
    | { readonly tracepoint: string }
    | { readonly cgroup: AttachType }
    /** A hook of BPF LSM, for tasks of the control group. */
    | { readonly lsm: string };
  /** The chains that it feeds. */
  readonly chains: readonly BuiltinChain[];
  /** For which tables it is attached. */
  readonly needed: 'always' | ((table: Table) => boolean);
  readonly program: (offsets: Offsets) => ProgramSpec;
}

const call = (chain: CallChain, family: 4 | 6, attach: AttachType): Hook => ({
  name: attach,
  attach: { cgroup: attach },
  chains: [chain],
  needed: 'always',
  program: (offsets) => sockAddrProgram(chain, family, offsets),
});

/** Whether the chain has a rule, or a policy that refuses: it can refuse or count. */
function isUsed(table: Table, name: BuiltinChain): boolean {
  const { rules, policy } = builtinChain(table, name);
  return rules.length > 0 || policy !== 'ACCEPT';
}

/** Whether a walk from the chain could meet a rule or a policy that refuses. */
function canRefuse(table: Table, name: BuiltinChain): boolean {
  const met = new Set<string>([name]);
  for (const each of met) {
    const chain = findChain(table, each);
    if (chain?.policy === 'DROP') return true;
    for (const target of chainTargets(table, each)) {
      const step = stepOf(target);
      if (step.kind === 'decide' && step.errno !== 0) return true;
      if (step.kind === 'call') met.add(step.chain);
    }
  }
  return false;
}

const DATAGRAM_PROTOCOLS: readonly number[] = [PROTOCOL.udp, PROTOCOL.udplite];

/** Whether the rule says that it is about datagrams of udp or udplite alone. */
function isAboutDatagrams({ matches }: Rule): boolean {
  return matches
    .flatMap(({ options }) => options)
    .some(
      ({ value, negated }) =>
        value.kind === 'protocol' && !negated && DATAGRAM_PROTOCOLS.includes(value.protocol),
    );
}

/** Whether SENDTO asks for what is no datagram of udp or udplite: raw and ping sockets send it. */
function asksPackets(table: Table): boolean {
  const met = new Set<string>(['SENDTO']);
  for (const each of met) {
    const chain = findChain(table, each);
    if (chain?.policy !== undefined && chain.policy !== 'ACCEPT') return true;
    for (const rule of chain?.rules ?? []) {
      if (isAboutDatagrams(rule)) continue;
      const step = stepOf(rule.target);
      if (step.kind !== 'call') return true;
      met.add(step.chain);
    }
  }
  return false;
}

/** Whether a walk from the chain could meet a rule that gives a call another destination: what can't be, is refused. */
function leads(table: Table, name: BuiltinChain): boolean {
  const met = new Set<string>([name]);
  for (const each of met)
    for (const target of chainTargets(table, each)) {
      if (leadsElsewhere(rewritingOf(target))) return true;
      const called = calledChain(target);
      if (called !== undefined) met.add(called);
    }
  return false;
}

const refusesBinds = (table: Table) => canRefuse(table, 'BIND') || leads(table, 'BIND');

const postBind = (family: 4 | 6, attach: AttachType): Hook => ({
  name: attach,
  attach: { cgroup: attach },
  chains: ['BIND'],
  needed: refusesBinds,
  program: (offsets) => postBindProgram(family, offsets),
});

/** Answers of a socket that was given another peer than it asked for. */
const tellsPeer = (question: Question, family: 4 | 6, attach: AttachType): Hook => ({
  name: attach,
  attach: { cgroup: attach },
  chains: ['CONNECT', 'SENDTO'],
  needed: (table) => leads(table, 'CONNECT') || leads(table, 'SENDTO'),
  program: () => peerProgram(question, family),
});

/** They keep the control groups' ids, and come before every hook that asks for one. */
export const TRACEPOINTS: readonly Hook[] = [
  {
    name: 'cgroup_mkdir',
    attach: { tracepoint: 'cgroup_mkdir' },
    chains: [],
    needed: 'always',
    program: (offsets) => mkdirProgram(offsets),
  },
  {
    name: 'cgroup_rmdir',
    attach: { tracepoint: 'cgroup_rmdir' },
    chains: [],
    needed: 'always',
    program: (offsets) => rmdirProgram(offsets),
  },
  {
    name: 'cgroup_release',
    attach: { tracepoint: 'cgroup_release' },
    chains: [],
    needed: 'always',
    program: (offsets) => releaseProgram(offsets),
  },
];

/**
 * They judge calls, and tell what became of them. Those that see every option that is set, every socket that is made,
 * every packet of the subtree or every answer are there only when needed.
 */
export const CALL_HOOKS: readonly Hook[] = [
  call('BIND', 4, 'inet4_bind'),
  call('BIND', 6, 'inet6_bind'),
  postBind(4, 'inet4_post_bind'),
  postBind(6, 'inet6_post_bind'),
  call('CONNECT', 4, 'inet4_connect'),
  call('CONNECT', 6, 'inet6_connect'),
  call('SENDTO', 4, 'udp4_sendmsg'),
  call('SENDTO', 6, 'udp6_sendmsg'),
  {
    name: 'setsockopt',
    attach: { cgroup: 'setsockopt' },
    chains: ['CONNECT', 'SENDTO'],
    needed: (table) => isUsed(table, 'CONNECT') || isUsed(table, 'SENDTO'),
    program: () => sockoptProgram(),
  },
  {
    name: 'sock_create',
    attach: { cgroup: 'sock_create' },
    chains: [],
    needed: ({ denyUnseen }) => denyUnseen,
    program: () => sockCreateProgram(),
  },
  {
    name: 'inet_ingress',
    attach: { cgroup: 'inet_ingress' },
    chains: ['ACCEPT', 'RECVFROM', 'BIND'],
    needed: (table) => isUsed(table, 'ACCEPT') || isUsed(table, 'RECVFROM') || refusesBinds(table),
    program: (offsets) => ingressProgram(offsets),
  },
  {
    name: 'inet_egress',
    attach: { cgroup: 'inet_egress' },
    chains: ['SENDTO'],
    needed: asksPackets,
    program: (offsets) => egressProgram(offsets),
  },
  tellsPeer('peername', 4, 'inet4_getpeername'),
  tellsPeer('peername', 6, 'inet6_getpeername'),
  tellsPeer('recvmsg', 4, 'udp4_recvmsg'),
  tellsPeer('recvmsg', 6, 'udp6_recvmsg'),
];

/**
 * They refuse nothing that would pass: they tell callers what others enforce. A kernel that has not got them
 * enforces the same rules.
 */
export const ANSWER_HOOKS: readonly Hook[] = [
  {
    name: 'socket_accept',
    attach: { lsm: 'socket_accept' },
    chains: ['ACCEPT'],
    needed: (table) => canRefuse(table, 'ACCEPT'),
    program: (offsets) => acceptProgram(offsets),
  },
];

/** Whether accept(2) is to be told which listeners no peer may reach, as far as the kernel says that it can be. */
export function tellsListeners(table: Table): boolean {
  return hasBpfLsm() && ANSWER_HOOKS.some((hook) => isNeeded(hook, table));
}

/** Those that are detached one by one, in the order in which they are. */
export const JUDGING_HOOKS: readonly Hook[] = [...ANSWER_HOOKS, ...CALL_HOOKS];

export const HOOKS: readonly Hook[] = [...TRACEPOINTS, ...CALL_HOOKS, ...ANSWER_HOOKS];

/** Whether the table has work for the hook. */
export function isNeeded({ needed }: Hook, table: Table): boolean {
  return needed === 'always' || needed(table);
}
