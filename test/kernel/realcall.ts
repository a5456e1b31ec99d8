/**
 * Real calls and what the contract says of them. A plan is what one socket does; interpreting its
 * results gives the synthetic packets that the contract demands, without a look at the enforcement.
 */
import { elementAt, type Family, flagsOf, type Packet, PROTOCOL } from '@sockfilter/table';
import type { Random } from '../arbitrary/random.js';
import { type Call, MSG_FASTOPEN, type Result, SOCKET_OPTION } from '../harness/caller.js';

export type Kind = 'tcp' | 'mptcp' | 'udp' | 'udplite' | 'icmp' | 'icmpv6';

type Claim = 'unspec' | 'unix';

type Step =
  | {
      readonly op: 'bind' | 'connect' | 'fastopen' | 'sendto';
      readonly address: string;
      readonly port: number;
      readonly claim?: Claim;
    }
  | {
      readonly op: 'sendmsg';
      readonly address: string;
      readonly port: number;
      readonly from: string;
    }
  | { readonly op: 'send' }
  | { readonly op: 'disconnect' };

export interface Plan {
  readonly kind: Kind;
  readonly family: Family;
  readonly options: readonly (keyof typeof SOCKET_OPTION)[];
  readonly steps: readonly Step[];
  /** What its datagrams say, before the number of the step. */
  readonly mark: string;
}

/** A socket that waits for peers. */
export interface Listener {
  readonly kind: 'tcp' | 'udp' | 'udplite';
  /** `::` takes IPv4 too. */
  readonly address: string;
  readonly port: number;
  readonly group: number;
  readonly uid: number;
}

export interface Who {
  readonly group: number;
  readonly uid: number;
  readonly gid: number;
}

/** One packet that a step made. */
export interface Judged {
  readonly packet: Packet;
  readonly step: Step;
  /** The errno's name, or `ok`; undefined where the caller isn't told. */
  readonly told: string | undefined;
  /** A judging again of what the kernel made of the call: it counts where it refuses, and only there. */
  readonly again?: true;
  /** Of RECVFROM what the datagram says, of ACCEPT the peer as accept(2) tells it. */
  readonly arrives: string | undefined;
}

const PROTOCOL_OF: Readonly<Record<Kind, number>> = { ...PROTOCOL, mptcp: PROTOCOL.tcp };

/** A v6 socket that is bound to a native address sends IPv4 from 127.0.0.6 (LOOPBACK4_IPV6). */
const NO_IPV4 = 0x7f000006n;
const LOOPBACK: Readonly<Record<Family, bigint>> = { 4: 0x7f000001n, 6: 1n };

function parse4(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parse6(text: string): bigint {
  const [head = '', tail] = text
    .replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
      const value = parse4(dotted);
      return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
    })
    .split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const behind = words(tail ?? '');
  const zeros = Array.from({ length: 8 - words(head).length - behind.length }, () => '0');
  return [...words(head), ...zeros, ...behind].reduce(
    (value, word) => value * 65536n + BigInt(`0x${word}`),
    0n,
  );
}

/** One of those that the kernel chooses from. */
const CHOSEN_PORT = 40_000;

/** What rules refuse with here; a call never gives these by itself. */
export const REFUSED_WITH: readonly string[] = ['EPERM', 'EACCES', 'ETIMEDOUT', 'EHOSTUNREACH'];

const isMapped = (text: string) => text.startsWith('::ffff:');

/** An address as packets have it: a mapped one is IPv4. */
export function packetAddress(text: string): { readonly family: Family; readonly value: bigint } {
  if (!text.includes(':')) return { family: 4, value: parse4(text) };
  const value = parse6(text);
  return isMapped(text) ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}

/** The address of a socket as the source of a packet of the family. */
function sourceIn(family: Family, local: string): bigint {
  if (!local.includes(':')) return parse4(local);
  const value = parse6(local);
  if (family === 6) return value;
  if (isMapped(local)) return value & 0xffffffffn;
  return value === 0n ? 0n : NO_IPV4;
}

/** What the kernel makes of a destination that may be unspecified. */
function specified(address: string, local: string, source: string) {
  const { family, value } = packetAddress(address);
  if (value !== 0n) return { family, value };
  if (family === 6)
    return isMapped(local)
      ? ({ family: 4, value: LOOPBACK[4] } as const)
      : { family, value: LOOPBACK[6] };
  return { family, value: sourceIn(4, source) || LOOPBACK[4] };
}

/** The calls of a plan: each step is followed by getsockname. */
export function callsOf(plan: Plan): readonly Call[] {
  const isStream = plan.kind === 'tcp' || plan.kind === 'mptcp';
  const fd = 'last' as const;
  const call = (step: Step, n: number): Call => {
    const data = `${plan.mark}.${n}`;
    if (step.op === 'send') return { op: 'send', fd, data };
    if (step.op === 'disconnect')
      return { op: 'connect', fd, address: { address: '0.0.0.0', family: 'unspec' } };
    const { address, port } = step;
    const claim = 'claim' in step ? step.claim : undefined;
    const to = { address, port, ...(claim === undefined ? {} : { family: claim }) };
    if (step.op === 'sendmsg') return { op: 'sendmsg', fd, to, from: { address: step.from }, data };
    if (step.op === 'sendto') return { op: 'sendto', fd, to, data };
    if (step.op === 'fastopen') return { op: 'sendto', fd, to, data, flags: MSG_FASTOPEN };
    return { op: step.op, fd, address: to };
  };
  return [
    {
      op: 'socket',
      family: plan.family === 4 ? 'inet' : 'inet6',
      type: isStream ? 'stream' : 'dgram',
      protocol: plan.kind,
    },
    ...plan.options.map(
      (option): Call => ({ op: 'setsockopt', fd, ...SOCKET_OPTION[option], value: 1 }),
    ),
    ...plan.steps.flatMap((step, n): readonly Call[] => [call(step, n), { op: 'getsockname', fd }]),
    // A reset leaves nothing behind that a later call could meet.
    ...(plan.kind === 'tcp' ? [call({ op: 'disconnect' }, 0)] : []),
    { op: 'close', fd },
  ];
}

interface Target {
  readonly family: Family;
  readonly value: bigint;
  readonly port: number;
}

/** The packets that the contract demands for the plan, given what its calls came to. */
export function interpret(
  plan: Plan,
  results: readonly Result[],
  who: Who,
  listeners: readonly Listener[],
): readonly Judged[] {
  const judged: Judged[] = [];
  const protocol = PROTOCOL_OF[plan.kind];
  const hasPorts = plan.kind !== 'icmp' && plan.kind !== 'icmpv6';
  let local = { address: plan.family === 4 ? '0.0.0.0' : '::', port: 0 };
  let peer: Target | undefined;

  /** The packet as it reaches a listener, if there is one. */
  const reach = (target: Target, source: string, port: number, step: Step, mark: string): void => {
    const kind = plan.kind === 'mptcp' ? 'tcp' : plan.kind;
    const listener = listeners.find((other) => {
      if (other.kind !== kind || other.port !== target.port) return false;
      const at = packetAddress(other.address);
      if (at.value === 0n) return at.family === 6 || target.family === 4;
      return at.family === target.family && at.value === target.value;
    });
    if (!listener) return;
    const chain = kind === 'tcp' ? 'ACCEPT' : 'RECVFROM';
    // Of its own addresses the kernel sends to one from that one.
    const from = sourceIn(target.family, source) || target.value;
    const packet: Packet = {
      chain,
      group: listener.group,
      family: target.family,
      protocol,
      source: from,
      destination: target.value,
      sourcePort: port,
      destinationPort: target.port,
      flags: flagsOf(chain, protocol),
      uid: listener.uid,
      gid: 0,
      mark: 0,
    };
    const arrives = chain === 'ACCEPT' ? `${target.family} ${from} ${port}` : mark;
    judged.push({ packet, step, told: undefined, arrives });
  };

  const first = 1 + plan.options.length;
  plan.steps.forEach((step, n) => {
    const result = elementAt(results, first + 2 * n);
    const { address: after = { address: local.address } } = elementAt(results, first + 2 * n + 1);
    const now = { address: after.address, port: after.port ?? 0 };
    const told = result.errno ?? 'ok';
    const mark = `${plan.mark}.${n}`;
    const judge = (
      chain: 'BIND' | 'CONNECT' | 'SENDTO',
      target: Target,
      source: bigint,
      how: { readonly again?: true } = {},
    ): void => {
      const sourcePort = chain === 'BIND' ? 0 : chain === 'SENDTO' ? now.port : local.port;
      const packet: Packet = {
        chain,
        ...who,
        family: target.family,
        protocol,
        source,
        destination: target.value,
        sourcePort: hasPorts ? sourcePort : 0,
        destinationPort: hasPorts ? target.port : 0,
        flags: flagsOf(chain, protocol),
        mark: 0,
      };
      judged.push({ packet, step, told, arrives: undefined, ...how });
    };
    const sendToPeer = (namesNone: boolean) => {
      if (!peer) return;
      // udpv6_sendmsg hands a send to a mapped peer on with its address, as if the call named it.
      if (plan.family === 6 && peer.family === 4 && !namesNone)
        judge('SENDTO', peer, sourceIn(4, local.address));
      if (told === 'ok') reach(peer, local.address, local.port, step, mark);
    };
    switch (step.op) {
      case 'bind': {
        const target = packetAddress(step.address);
        judge('BIND', { ...target, port: step.port }, 0n);
        // The port that the kernel chose is judged too. A caller that is refused it never learns which it
        // was: to the rules here one is like the other.
        const isChosen = step.port === 0 && !plan.options.includes('IP_BIND_ADDRESS_NO_PORT');
        if (isChosen && (told === 'ok' || REFUSED_WITH.includes(told)))
          judge('BIND', { ...target, port: now.port || CHOSEN_PORT }, 0n, { again: true });
        break;
      }
      case 'connect':
      case 'fastopen': {
        const target = {
          ...specified(step.address, local.address, local.address),
          port: step.port,
        };
        // The kernel asks no hook in connect(2) of UDP-Lite: udplite_prot has no pre_connect.
        if (plan.kind !== 'udplite')
          judge('CONNECT', target, sourceIn(target.family, local.address));
        if (plan.kind === 'tcp' || plan.kind === 'mptcp') {
          if (told === 'ok' || told === 'EINPROGRESS')
            reach(target, now.address, now.port, step, mark);
        } else if (told === 'ok') peer = target;
        break;
      }
      case 'sendto':
      case 'sendmsg': {
        // An IPv6 socket takes an address of family AF_UNSPEC for none.
        if (step.op === 'sendto' && step.claim === 'unspec' && plan.family === 6) {
          sendToPeer(true);
          break;
        }
        const source = step.op === 'sendmsg' ? step.from : local.address;
        const target = { ...specified(step.address, local.address, source), port: step.port };
        // Bound to an IPv6 address it sends no IPv4, and is told so (ENETUNREACH) before any hook.
        if (target.family === 4 && sourceIn(4, local.address) === NO_IPV4) break;
        judge('SENDTO', target, sourceIn(target.family, source));
        if (told === 'ok') reach(target, source, now.port, step, mark);
        break;
      }
      case 'send':
        sendToPeer(false);
        break;
      case 'disconnect':
        peer = undefined;
    }
    local = now;
  });
  return judged;
}

const ADDRESSES = {
  4: ['10.9.9.1', '10.9.9.2', '127.0.0.1', '0.0.0.0'],
  6: ['fd00:9::1', 'fd00:9::2', '::1', '::'],
  mapped: ['::ffff:10.9.9.1', '::ffff:10.9.9.2', '::ffff:127.0.0.1', '::ffff:0.0.0.0', '::'],
} as const;

const REMOTE_PORTS = [2001, 2002, 2003, 2004];
const LOCAL_PORTS = [0, 0, 3001, 3002, 3003];

/** A plan of one to four steps. */
export function makePlan(kinds: readonly Kind[], random: Random, mark: string): Plan {
  const kind = random.pick(kinds);
  const family: Family = kind === 'icmp' ? 4 : kind === 'icmpv6' ? 6 : random.oneIn(2) ? 4 : 6;
  const isStream = kind === 'tcp' || kind === 'mptcp';
  const isPing = kind === 'icmp' || kind === 'icmpv6';
  const style = family === 4 ? 4 : isPing || random.oneIn(2) ? 6 : 'mapped';
  const port = () => random.pick(REMOTE_PORTS);
  // A socket with a native address may also send to a mapped one, but not the other way round.
  const strays = style === 6 && !isPing && random.oneIn(6);
  const remote = () => random.pick(ADDRESSES[strays ? 'mapped' : style]);
  const steps: Step[] = [];
  if (!isPing && !random.oneIn(3)) {
    const bind = (): Step => ({
      op: 'bind',
      address: random.pick(ADDRESSES[style]),
      port: kind === 'mptcp' ? 0 : random.pick(LOCAL_PORTS),
      ...(random.oneIn(12) ? { claim: random.pick(['unspec', 'unix'] as const) } : {}),
    });
    steps.push(bind());
    if (random.oneIn(8)) steps.push(bind());
  }
  const connect = (): Step => ({
    op: 'connect',
    address: remote(),
    port: port(),
    ...(random.oneIn(12) && kind !== 'mptcp' ? { claim: 'unix' } : {}),
  });
  const send = (): Step => {
    const address = remote();
    const isIpv4 = packetAddress(address).family === 4;
    if (random.oneIn(3) && address !== '::') {
      const from = random.pick(
        isIpv4 ? (['10.9.9.1', '10.9.9.2'] as const) : ADDRESSES[6].slice(0, 2),
      );
      return {
        op: 'sendmsg',
        address,
        port: port(),
        from: isIpv4 && family === 6 ? `::ffff:${from}` : from,
      };
    }
    // An IPv6 socket takes IPv4 addresses in their own form too.
    const short = isMapped(address) && random.oneIn(4) ? address.slice('::ffff:'.length) : address;
    const claim = random.oneIn(10) && short === address ? { claim: 'unspec' as const } : {};
    return { op: 'sendto', address: short, port: port(), ...claim };
  };
  if (isStream) {
    if (kind === 'tcp' && random.oneIn(4))
      steps.push({ op: 'fastopen', address: remote(), port: port() });
    else steps.push(connect());
  } else if (isPing) steps.push(connect());
  else {
    const connects = !strays && random.oneIn(3);
    // Connected to ::1 a socket sends IPv4 from an address that it does not show.
    const join = (): Step => {
      const step = connect();
      const isStray = style === 'mapped' && step.op === 'connect' && step.address === '::';
      return isStray ? { ...step, address: '::ffff:127.0.0.1' } : step;
    };
    if (connects) steps.push(join());
    if (connects && random.oneIn(2)) steps.push({ op: 'send' });
    if (connects && random.oneIn(4)) steps.push({ op: 'disconnect' });
    if (connects && random.oneIn(4)) steps.push(join());
    if (!connects || random.oneIn(2)) steps.push(send());
    if (random.oneIn(3)) steps.push(send());
  }
  const options: (keyof typeof SOCKET_OPTION)[] = isPing ? [] : ['SO_REUSEADDR'];
  if (kind === 'tcp' && family === 6 && random.oneIn(8)) options.push('IPV6_V6ONLY');
  if (kind === 'tcp' && family === 4 && random.oneIn(4)) options.push('IP_BIND_ADDRESS_NO_PORT');
  return { kind, family, options, steps, mark };
}
