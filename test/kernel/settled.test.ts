/** Where all calls of a chain pass by one verdict, they are asked for nothing, and counted as others are. */
import { BUILTIN_CHAINS } from '@sockfilter/table';
import type { Call, Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import type { Policy } from '../harness/policy.js';

const PEERS = { inet: '10.9.9.1', inet6: 'fd00:9::1' } as const;

/** Calls of both families that come by the hooks of BIND, CONNECT and SENDTO, some of which no chain judges. */
const CALLS: readonly Call[] = (['inet', 'inet6'] as const).flatMap((family): readonly Call[] => {
  const peer = { address: PEERS[family], port: 9 };
  const udp: Call = { op: 'socket', family, type: 'dgram' };
  return [
    udp,
    { op: 'bind', fd: 'last', address: { address: PEERS[family] } },
    { op: 'sendto', fd: 'last', to: peer },
    { op: 'sendmsg', fd: 'last', to: peer, from: { address: PEERS[family] } },
    udp,
    { op: 'connect', fd: 'last', address: peer },
    { op: 'send', fd: 'last' },
    // No address is named: only the source of its own makes it a call of SENDTO.
    { op: 'sendmsg', fd: 'last' },
    { op: 'sendmsg', fd: 'last', from: { address: PEERS[family] } },
    { op: 'sendmsg', fd: 'last', from: { address: family === 'inet' ? '127.0.0.1' : '::1' } },
    { op: 'sendto', fd: 'last', to: peer },
    { op: 'socket', family, type: 'stream' },
    { op: 'connect', fd: 'last', address: peer },
  ];
});

describeKernel('chains whose calls all pass by one verdict', () => {
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ policy, caller } = made);
  });

  /** What the calls count, and how each ends. */
  async function run(rules: string) {
    policy.enforce(rules);
    const results = await caller.batch(CALLS);
    return { errors: results.map(({ errno }) => errno), counted: policy.counted() };
  }

  test('policies count what they count where calls are looked at', async () => {
    const settled = await run('');
    const rule = (chain: string) => `-A ${chain} -d 203.0.113.9/32 -j DROP`;
    const asked = await run(BUILTIN_CHAINS.map(rule).join('\n'));
    expect(settled.counted).toEqual(asked.counted.filter((line) => line.includes('policy')));
    expect(settled.counted.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['BIND', 'CONNECT', 'SENDTO']),
    );
    expect(settled.errors).toEqual(asked.errors);
  });

  test('a rule that accepts all calls counts them', async () => {
    const [settled, accepting] = [
      await run(''),
      await run(BUILTIN_CHAINS.map((chain) => `-A ${chain} -j ACCEPT`).join('\n')),
    ];
    expect(accepting.counted).toEqual(settled.counted.map((line) => line.replace('policy', '1')));
  });

  test('not where the verdict refuses, or somebody is to be told', async () => {
    const { errors, counted } = await run(
      '*socket\n:CONNECT DROP [0:0]\n-A SENDTO -j LOG\nCOMMIT\n',
    );
    const { counted: settled } = await run('');
    expect(errors.filter((error) => error === 'EPERM')).toHaveLength(4);
    const countOf = (lines: readonly string[], what: string) =>
      lines.find((line) => line.startsWith(what))?.split(': ')[1];
    expect(countOf(counted, 'CONNECT policy')).toBe(countOf(settled, 'CONNECT policy'));
    expect(countOf(counted, 'SENDTO 1')).toBe(countOf(counted, 'SENDTO policy'));
  });
});
