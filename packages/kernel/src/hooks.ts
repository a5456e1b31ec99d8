/** The places where programs are attached, in the order in which they are. */
import type { AttachType, ProgramSpec } from '@sockfilter/bpf';
import { type BuiltinChain, findChain, type Table } from '@sockfilter/table';
import type { Offsets } from './offsets.js';
import { mkdirProgram, releaseProgram } from './program/cgroups.js';
import { ingressProgram } from './program/ingress.js';
import { type CallChain, sockAddrProgram } from './program/sockaddr.js';
import { sockoptProgram } from './program/sockopt.js';

export interface Hook {
  /** Name of its pin. */
  readonly name: string;
  readonly attach: { readonly tracepoint: string } | { readonly cgroup: AttachType };
  /** The chains that it feeds. */
  readonly chains: readonly BuiltinChain[];
  /** Whether it is attached only while one of its chains can refuse or count. */
  readonly onDemand: boolean;
  readonly program: (offsets: Offsets) => ProgramSpec;
}

const call = (chain: CallChain, family: 4 | 6, attach: AttachType): Hook => ({
  name: attach,
  attach: { cgroup: attach },
  chains: [chain],
  onDemand: false,
  program: (offsets) => sockAddrProgram(chain, family, offsets),
});

/** They keep the control groups' ids, and come before every hook that asks for one. */
export const TRACEPOINTS: readonly Hook[] = [
  {
    name: 'cgroup_mkdir',
    attach: { tracepoint: 'cgroup_mkdir' },
    chains: [],
    onDemand: false,
    program: mkdirProgram,
  },
  {
    name: 'cgroup_release',
    attach: { tracepoint: 'cgroup_release' },
    chains: [],
    onDemand: false,
    program: releaseProgram,
  },
];

/**
 * They judge calls. The last two see every option that is set and every packet of the subtree, so they
 * are there only when needed.
 */
export const CALL_HOOKS: readonly Hook[] = [
  call('BIND', 4, 'inet4_bind'),
  call('BIND', 6, 'inet6_bind'),
  call('CONNECT', 4, 'inet4_connect'),
  call('CONNECT', 6, 'inet6_connect'),
  call('SENDTO', 4, 'udp4_sendmsg'),
  call('SENDTO', 6, 'udp6_sendmsg'),
  {
    name: 'setsockopt',
    attach: { cgroup: 'setsockopt' },
    chains: ['CONNECT', 'SENDTO'],
    onDemand: true,
    program: sockoptProgram,
  },
  {
    name: 'inet_ingress',
    attach: { cgroup: 'inet_ingress' },
    chains: ['ACCEPT', 'RECVFROM'],
    onDemand: true,
    program: ingressProgram,
  },
];

/** Whether the table has work for the hook: a rule, or a policy that refuses. */
export function isNeeded(hook: Hook, table: Table): boolean {
  if (!hook.onDemand) return true;
  return hook.chains.some((name) => {
    const chain = findChain(table, name);
    return chain !== undefined && (chain.rules.length > 0 || chain.policy !== 'ACCEPT');
  });
}
