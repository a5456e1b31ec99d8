/** NetworkPolicies as rules: the known recipes, judged by calls of pods. */
import { finishDraft, importPolicies } from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { evaluate, groupAt, PROTOCOL, readAddress } from '@sockfilter/table';
import { PACKET } from '../arbitrary/ordinary.js';
import { invariantFaults } from './invariants.js';

const PODS = `
- { name: web, namespace: default, labels: { app: web }, ip: 10.0.0.1, path: /kube/web, ports: { http: 8080 } }
- { name: api, namespace: default, labels: { app: api, role: back }, ip: 10.0.0.2, path: /kube/api }
- { name: mon, namespace: ops, labels: { app: mon }, ip: 10.0.1.1 }
`
  .trim()
  .split('\n')
  .map((row) => row.replace(/^- /, ''))
  .join('\n---\n');
const NAMESPACES = '\n---\n{ kind: Namespace, metadata: { name: ops, labels: { team: ops } } }\n';

async function imported(specs: string | readonly string[], pods = PODS + NAMESPACES) {
  const policies = [specs]
    .flat()
    .map(
      (spec) => `kind: NetworkPolicy\nmetadata: { name: p, namespace: default }\nspec: ${spec}\n`,
    );
  const draft = importPolicies(
    [{ name: 'p.yaml', text: policies.join('---\n') }],
    [{ name: 'pods.yaml', text: pods }],
  );
  const { text, remarks, invariants } = finishDraft(draft);
  expect(await invariantFaults(text, invariants)).toEqual([]);
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const call = (pod: string, peer: string, port: number, inward: boolean, udp: boolean) => {
    const value = readAddress(peer)?.value ?? 0n;
    return (
      evaluate(table, {
        ...PACKET,
        chain: inward ? (udp ? 'RECVFROM' : 'ACCEPT') : udp ? 'SENDTO' : 'CONNECT',
        group: groupAt(table.groups, `/kube/${pod}`)?.id ?? 0,
        protocol: udp ? PROTOCOL.udp : PROTOCOL.tcp,
        flags: udp ? 0 : 2,
        source: inward ? value : 0n,
        destination: inward ? 1n : value,
        destinationPort: port,
      }).errno === 0
    );
  };
  return {
    remarks: remarks.map(({ fate, reason }) => `${fate}: ${reason}`),
    in: (pod: string, from: string, port: number, udp = false) => call(pod, from, port, true, udp),
    out: (pod: string, to: string, port: number, udp = false) => call(pod, to, port, false, udp),
  };
}

test('deny all to an application', async () => {
  const policy = await imported('{ podSelector: { matchLabels: { app: web } }, ingress: [] }');
  expect(policy.in('web', '10.0.0.2', 80)).toBe(false);
  expect(policy.in('web', '10.0.0.2', 80, true)).toBe(false);
  expect(policy.in('api', '10.0.0.1', 80)).toBe(true);
  expect(policy.out('web', '10.0.0.2', 80)).toBe(true);
});

test('allow all', async () => {
  const policy = await imported('{ podSelector: {}, ingress: [{}] }');
  expect(policy.in('web', '203.0.113.1', 80)).toBe(true);
});

test('pods of the namespace, of another, and ports by number and name', async () => {
  const policy = await imported(`{ podSelector: { matchLabels: { app: web } }, ingress: [
    { from: [{ podSelector: { matchExpressions: [{ key: role, operator: In, values: [back] }] } }], ports: [{ port: http }] },
    { from: [{ namespaceSelector: { matchLabels: { team: ops } } }], ports: [{ port: 9000, endPort: 9010 }] } ] }`);
  expect(policy.in('web', '10.0.0.2', 8080)).toBe(true);
  expect(policy.in('web', '10.0.0.2', 8081)).toBe(false);
  expect(policy.in('web', '10.0.1.1', 9005)).toBe(true);
  expect(policy.in('web', '10.0.1.1', 8080)).toBe(false);
});

/** Addresses of the pods `web`, `api` and `mon` of another namespace, and of a host outside. */
const [WEB, API, MON, OUTSIDE] = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '203.0.113.9'];

/** What people copy: whose calls come in to `web` at port 8080, and whither those of `web` go out. */
test.each([
  ['deny all', '{ podSelector: { matchLabels: { app: web } }, ingress: [] }', [], 'all'],
  [
    'from pods with a label',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }] }] }',
    [API],
    'all',
  ],
  [
    'allow all beside deny all',
    [
      '{ podSelector: {}, ingress: [] }',
      '{ podSelector: { matchLabels: { app: web } }, ingress: [{}] }',
    ],
    [WEB, API, MON, OUTSIDE],
    'all',
  ],
  ['deny all of a namespace', '{ podSelector: {}, policyTypes: [Ingress] }', [], 'all'],
  [
    'from the own namespace',
    '{ podSelector: { matchLabels: {} }, ingress: [{ from: [{ podSelector: {} }] }] }',
    [WEB, API],
    'all',
  ],
  [
    'from all namespaces',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: {} }] }] }',
    [WEB, API, MON],
    'all',
  ],
  [
    'from a namespace',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } } }] }] }',
    [MON],
    'all',
  ],
  [
    'from some pods of a namespace',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } }, podSelector: { matchLabels: { app: mon } } }] }] }',
    [MON],
    'all',
  ],
  [
    'from pods that a namespace has not',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: ops } }, podSelector: { matchLabels: { app: api } } }] }] }',
    [],
    'all',
  ],
  [
    'from everywhere',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [] }] }',
    [WEB, API, MON, OUTSIDE],
    'all',
  ],
  [
    'to a port, from a label',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ ports: [{ port: 8080 }], from: [{ podSelector: { matchLabels: { role: back } } }] }] }',
    [API],
    'all',
  ],
  [
    'to another port',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ ports: [{ port: 5000 }], from: [{ podSelector: {} }] }] }',
    [],
    'all',
  ],
  [
    'from one selector or another',
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }, { namespaceSelector: { matchLabels: { team: ops } } }] }] }',
    [API, MON],
    'all',
  ],
  [
    'no egress',
    '{ podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [] }',
    [WEB, API, MON, OUTSIDE],
    [],
  ],
  [
    'no egress of a namespace',
    '{ podSelector: {}, policyTypes: [Egress], egress: [] }',
    [WEB, API, MON, OUTSIDE],
    [],
  ],
  [
    'egress to pods alone',
    '{ podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [{ ports: [{ port: 53, protocol: UDP }] }, { to: [{ namespaceSelector: {} }] }] }',
    [WEB, API, MON, OUTSIDE],
    [WEB, API, MON],
  ],
  ['nothing in or out', '{ podSelector: {}, policyTypes: [Ingress, Egress] }', [], []],
] as const)('%s', async (_, specs, from, to) => {
  const policy = await imported(specs);
  const all = [WEB, API, MON, OUTSIDE];
  expect(all.filter((each) => policy.in('web', each ?? '', 8080))).toEqual(from);
  expect(all.filter((each) => policy.out('web', each ?? '', 443))).toEqual(to === 'all' ? all : to);
  expect(policy.remarks.filter((each) => each.startsWith('wider'))).toEqual([]);
});

test('egress to DNS only', async () => {
  const policy = await imported(
    '{ podSelector: { matchLabels: { app: api } }, policyTypes: [Egress], egress: [{ ports: [{ protocol: UDP, port: 53 }, { port: 53 }] }] }',
  );
  expect(policy.out('api', '8.8.8.8', 53, true)).toBe(true);
  expect(policy.out('api', '8.8.8.8', 53)).toBe(true);
  expect(policy.out('api', '8.8.8.8', 443)).toBe(false);
  expect(policy.in('api', '8.8.8.8', 443)).toBe(true);
});

test('a block without some of it', async () => {
  const policy = await imported(
    '{ podSelector: { matchLabels: { app: web } }, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.9.0.0/16] } }] }] }',
  );
  expect(policy.in('web', '10.1.0.1', 80)).toBe(true);
  expect(policy.in('web', '10.9.0.1', 80)).toBe(false);
  expect(policy.in('web', '192.0.2.1', 80)).toBe(false);
});

test.each([
  [
    '{ podSelector: { matchLabels: { app: none } } }',
    'note: it selects none of the pods that are given',
  ],
  [
    '{ podSelector: {}, ingress: [{ ports: [{ protocol: SCTP, port: 7 }] }] }',
    'narrowed: left out: no socket call has SCTP',
  ],
  [
    '{ podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: none } } }] }] }',
    'narrowed: a peer selects no address of the pods that are given',
  ],
  [
    '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, excpt: [10.9.0.0/16] } }] }] }',
    'wider: `excpt` is not known, and may restrict it',
  ],
  [
    '{ podSelector: {}, ingress: [{ form: [] }] }',
    'wider: `form` is not known, and may restrict it',
  ],
])('%s: %s', async (spec, remark) => {
  expect((await imported(spec)).remarks).toContain(remark);
});

test('nothing of a policy becomes a word or line of its own', async () => {
  const policy = await imported(
    '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8 -j ACCEPT\\n-A ACCEPT -j ACCEPT" } }] }] }',
  );
  expect(policy.in('web', '192.0.2.1', 80)).toBe(false);
  expect(policy.remarks.join()).toContain('narrowed: invalid mask');
});
