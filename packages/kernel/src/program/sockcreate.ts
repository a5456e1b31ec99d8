/**
 * The hook of socket(2): refuses sockets of IPv4 and IPv6 whose calls come by no hook.
 *
 * What it lets pass is what hooks see: TCP with MPTCP, UDP, and ping sockets, whose connect(2) is seen.
 * Whatever else a kernel has, by a module that came later too, is unseen. Context: struct bpf_sock. The
 * kernel's own sockets do not come here.
 */
import {
  exit,
  type Item,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R6,
  R8,
  R9,
} from '@sockfilter/bpf';
import { PROTOCOL } from '@sockfilter/table';
import { HEADER } from '../layout.js';
import { FAILED, findGeneration, LICENSE, REFUSED } from './generation.js';

const SK = { type: 8, protocol: 12 } as const;

const SOCK_RAW = 3;
const IPPROTO_MPTCP = 262;

/** Protocols of sockets that are not raw. */
const SEEN = [PROTOCOL.tcp, PROTOCOL.udp, IPPROTO_MPTCP, PROTOCOL.icmp, PROTOCOL.icmpv6] as const;

function judge(): readonly Item[] {
  return [
    load(4, R1, R9, SK.type),
    jumpIf('eq', R1, SOCK_RAW, REFUSED),
    load(4, R8, R9, SK.protocol),
    ...SEEN.map((protocol) => jumpIf('eq', R8, protocol, 'pass')),
  ];
}

/** The program that judges new sockets. Linux 4.10. */
export function sockCreateProgram(): ProgramSpec {
  return {
    name: 'sf_sock_create',
    type: 'cgroup_sock',
    expectedAttachType: 'sock_create',
    license: LICENSE,
    items: [
      mov(R9, R1),
      ...findGeneration(),
      load(4, R1, R6, HEADER.denyUnseen),
      jumpIf('eq', R1, 0, 'pass'),
      ...judge(),
      label(REFUSED),
      label(FAILED),
      movImm(R0, 0),
      exit(),
      label('pass'),
      movImm(R0, 1),
      exit(),
    ],
  };
}
