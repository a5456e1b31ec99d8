/** The calls that the demo makes under rules/demo.rules, and what each must come to. */

export const CHAINS = ['BIND', 'CONNECT', 'ACCEPT', 'SENDTO', 'RECVFROM'] as const;

export const GROUPS = ['web', 'db', 'client'] as const;

export type Group = (typeof GROUPS)[number];

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What refuses in silence: the peer is not told, and its packet never arrives. */
export const SILENCE = 'silence';

export interface DemoCall {
  readonly chain: (typeof CHAINS)[number];
  /** Whose program calls; in ACCEPT and RECVFROM whose socket is reached. */
  readonly group: Group;
  readonly protocol: 'tcp' | 'udp';
  /** Where the data comes from; in BIND nothing is said. */
  readonly from?: Endpoint;
  readonly to: Endpoint;
  /** In ACCEPT and RECVFROM: the group whose program is the peer. */
  readonly peer?: Group;
  /** The caller is this user and not root. */
  readonly uid?: number;
  /** In BIND: the socket stays open, and listens if it is tcp, for the calls that follow. */
  readonly serves?: true;
  /** `ok`, the errno with which the call fails, or SILENCE. */
  readonly expected: string;
}

/** `10.9.9.1:80`, `[fd00:9::1]:443`. */
function at(text: string): Endpoint {
  const [, six, four, port] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(text) ?? [];
  const address = six ?? four;
  if (address === undefined) throw new Error(`no address and port: ${text}`);
  return { address, port: Number(port) };
}

type Rest = Omit<DemoCall, 'chain' | 'group' | 'protocol' | 'to' | 'from' | 'expected'>;

function bind(
  group: Group,
  protocol: 'tcp' | 'udp',
  to: string,
  expected: string,
  rest: Rest = {},
): DemoCall {
  return { chain: 'BIND', group, protocol, to: at(to), expected, ...rest };
}

function connect(
  group: Group,
  protocol: 'tcp' | 'udp',
  to: string,
  expected: string,
  rest: Rest = {},
): DemoCall {
  return { chain: 'CONNECT', group, protocol, to: at(to), expected, ...rest };
}

function sendto(group: Group, from: string, to: string, expected: string): DemoCall {
  return { chain: 'SENDTO', group, protocol: 'udp', from: at(from), to: at(to), expected };
}

function reach(
  chain: 'ACCEPT' | 'RECVFROM',
  group: Group,
  to: string,
  peer: Group,
  from: string,
  expected: string,
): DemoCall {
  const protocol = chain === 'ACCEPT' ? 'tcp' : 'udp';
  return { chain, group, protocol, from: at(from), to: at(to), peer, expected };
}

const NOBODY = 65534;

/** In the order in which they are made: the servers' binds come before what reaches them. */
export const CALLS: readonly DemoCall[] = [
  bind('web', 'tcp', '10.9.9.1:80', 'ok', { serves: true }),
  bind('web', 'tcp', '[fd00:9::1]:443', 'ok', { serves: true }),
  bind('web', 'udp', '10.9.9.1:514', 'ok', { serves: true }),
  bind('web', 'tcp', '[::ffff:10.9.9.1]:8080', 'ok'),
  bind('web', 'tcp', '0.0.0.0:80', 'EPERM'),
  bind('web', 'udp', '[fd00:9::1]:443', 'EPERM'),
  bind('db', 'tcp', '10.9.9.2:5432', 'ok', { serves: true }),
  bind('db', 'udp', '[fd00:9::2]:514', 'ok', { serves: true }),
  bind('db', 'udp', '10.9.9.2:53', 'EADDRNOTAVAIL'),
  bind('client', 'udp', '[::]:5353', 'ok'),
  bind('client', 'tcp', '[::]:443', 'EPERM'),

  connect('client', 'tcp', '10.9.9.1:80', 'ok'),
  connect('client', 'tcp', '[fd00:9::1]:443', 'ok'),
  connect('client', 'tcp', '10.9.9.2:80', 'EHOSTUNREACH'),
  connect('client', 'udp', '[fd00:9::2]:514', 'ok'),
  connect('client', 'udp', '[fd00:9::2]:514', 'EPERM', { uid: NOBODY }),
  connect('web', 'tcp', '[fd00:9::2]:25', 'ECONNREFUSED'),

  reach('ACCEPT', 'db', '10.9.9.2:5432', 'web', '10.9.9.1:40001', 'ok'),
  reach('ACCEPT', 'db', '10.9.9.2:5432', 'client', '10.9.9.2:40002', SILENCE),
  reach('ACCEPT', 'web', '[fd00:9::1]:443', 'client', '[fd00:9::1]:40003', 'ok'),
  reach('ACCEPT', 'web', '[fd00:9::1]:443', 'client', '[fd00:9::2]:40004', SILENCE),

  sendto('client', '10.9.9.1:40005', '10.9.9.1:514', 'ok'),
  sendto('client', '10.9.9.1:40006', '10.9.9.2:53', 'EACCES'),
  sendto('client', '[fd00:9::1]:40007', '[fd00:9::2]:514', 'ok'),
  sendto('client', '[fd00:9::1]:40008', '[fd00:9::2]:53', 'EPERM'),

  reach('RECVFROM', 'web', '10.9.9.1:514', 'client', '10.9.9.1:40009', 'ok'),
  reach('RECVFROM', 'web', '10.9.9.1:514', 'client', '10.9.9.2:40010', SILENCE),
  reach('RECVFROM', 'db', '[fd00:9::2]:514', 'client', '[fd00:9::1]:40011', 'ok'),
  reach('RECVFROM', 'db', '[fd00:9::2]:514', 'client', '[fd00:9::2]:40012', SILENCE),
];
