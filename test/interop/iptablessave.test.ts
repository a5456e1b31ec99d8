/**
 * What is imported from a dump accepts no call that the dump would refuse, whatever the tests say that no rule of
 * ours can ask: held against a reading of iptables of its own.
 */
import { finishDraft, readDump, translate } from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { readExpectations, testFile } from '@sockfilter/policy';
import {
  type BuiltinChain,
  elementAt,
  evaluate,
  type Packet,
  PROTOCOL,
  readAddress,
} from '@sockfilter/table';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { PACKET } from '../arbitrary/ordinary.js';
import { forLength } from '../harness/length.js';
import { fileOfText } from '../policy/rulefile.js';
import { invariantFaults } from './invariants.js';
import { isIn } from './region.js';
import { routerDump } from './router.js';

const MAP = new Map<string, readonly BuiltinChain[]>([
  ['INPUT', ['ACCEPT']],
  ['OUTPUT', ['CONNECT', 'SENDTO']],
]);

function imported(text: string, map = MAP) {
  const draft = translate([readDump({ name: 'dump', text })], map, []);
  const { text: rules, remarks, invariants } = finishDraft(draft);
  const { table, diagnostics } = parseSave(rules, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  return { rules, table, remarks, invariants, lines: draft.lines };
}

/** A test of a rule: its text, and whether a packet of the network has it. */
interface Test {
  readonly text: string;
  readonly holds: (packet: Real, chance: boolean) => boolean;
}

/** What goes over the network for a call: its source is known by then. */
interface Real {
  readonly source: bigint;
  readonly destination: bigint;
  readonly sport: number;
  readonly dport: number;
  readonly udp: boolean;
}

const address = (text: string) => readAddress(text)?.value ?? 0n;
const [A, B, LO] = [address('10.0.0.5'), address('10.0.1.5'), address('127.0.0.1')];
const ADDRESSES = [A, B, LO];
const isLo = ({ source, destination }: Real) =>
  source >> 24n === 127n || destination >> 24n === 127n || source === destination;

const TESTS: readonly Test[] = [
  { text: '-s 10.0.0.0/24', holds: ({ source }) => source >> 8n === A >> 8n },
  { text: '! -s 10.0.0.0/24', holds: ({ source }) => source >> 8n !== A >> 8n },
  { text: '-d 10.0.1.0/24', holds: ({ destination }) => destination >> 8n === B >> 8n },
  { text: '! -d 10.0.1.0/24', holds: ({ destination }) => destination >> 8n !== B >> 8n },
  { text: '-p tcp -m tcp --dport 80', holds: ({ udp, dport }) => !udp && dport === 80 },
  { text: '-p tcp -m tcp --sport 1024:65535', holds: ({ udp, sport }) => !udp && sport >= 1024 },
  { text: '-p udp -m udp ! --sport 53', holds: ({ udp, sport }) => udp && sport !== 53 },
  {
    text: '-p tcp -m multiport --sports 1000,2000',
    holds: ({ udp, sport }) => !udp && (sport === 1000 || sport === 2000),
  },
  {
    text: '-m iprange --src-range 10.0.0.1-10.0.0.9',
    holds: ({ source }) => source >= A - 4n && source <= A + 4n,
  },
  { text: '-i lo', holds: isLo },
  { text: '! -i lo', holds: (packet) => !isLo(packet) },
  { text: '-m limit --limit 5/min', holds: (_, chance) => chance },
  { text: '-m conntrack --ctstate NEW,ESTABLISHED', holds: () => true },
  { text: '-m state --state RELATED,ESTABLISHED', holds: () => false },
  { text: '-m conntrack --ctstate DNAT', holds: (_, chance) => chance },
  { text: '-m conntrack ! --ctstate DNAT', holds: (_, chance) => chance },
  { text: '', holds: () => true },
];

interface Rule {
  /** `early` is INPUT and OUTPUT of another table, which a packet passes before. */
  readonly chain: string;
  readonly test: Test;
  readonly target: string;
  readonly chance: boolean;
}

const CHAINS = ['INPUT', 'OUTPUT', 'early INPUT', 'early OUTPUT', 'one', 'two'];

const rule = fc
  .tuple(fc.constantFrom(...CHAINS), fc.constantFrom(...TESTS), fc.nat(7), fc.boolean())
  .map(([chain, test, pick, chance]): Rule => {
    // Chains call later ones only.
    const calls = chain.startsWith('early')
      ? []
      : CHAINS.slice(Math.max(4, CHAINS.indexOf(chain) + 1));
    const targets = [
      '-j ACCEPT',
      '-j DROP',
      '-j REJECT',
      '-j RETURN',
      '-j LOG',
      '-j NFQUEUE',
      '',
      '',
    ];
    const target =
      pick >= 6 && calls.length > 0
        ? `${pick === 6 ? '-j' : '-g'} ${calls[0]}`
        : elementAt(targets, pick);
    return { chain, test, target, chance };
  });

type Verdict = 'accept' | 'refuse' | 'return';

/** iptables as its manual has it; what NFQUEUE says is not known and so no accepting. */
function walk(rules: readonly Rule[], chain: string, packet: Real): Verdict {
  for (const { test, target, chance } of rules.filter((each) => each.chain === chain)) {
    if (!test.holds(packet, chance)) continue;
    const [flag, name] = target.split(' ');
    if (name === 'ACCEPT') return 'accept';
    if (name === 'DROP' || name === 'REJECT' || name === 'NFQUEUE') return 'refuse';
    if (name === 'RETURN') return 'return';
    if (name === undefined || name === 'LOG') continue;
    const verdict = walk(rules, name, packet);
    if (verdict !== 'return') return verdict;
    if (flag === '-g') return 'return';
  }
  return 'return';
}

/** Whether a packet passes all of the tables. */
function accepts(given: Given, hook: string, packet: Real): boolean {
  const early = walk(given.rules, `early ${hook}`, packet);
  const verdict = walk(given.rules, hook, packet);
  if (early === 'refuse') return false;
  return verdict === 'return' ? given.policies.get(hook) === 'ACCEPT' : verdict === 'accept';
}

interface Given {
  readonly rules: readonly Rule[];
  readonly policies: ReadonlyMap<string, string>;
  readonly text: string;
}

const textOf = ({ chain, test, target }: Rule) =>
  `-A ${[chain.replace('early ', ''), test.text, target].filter((each) => each !== '').join(' ')}\n`;

const policy = fc.constantFrom('ACCEPT', 'DROP');

const dump = fc
  .tuple(policy, policy, fc.array(rule, { maxLength: 12 }))
  .map(([input, output, rules]): Given => {
    const isEarly = ({ chain }: Rule) => chain.startsWith('early');
    const early = rules.filter(isEarly).map(textOf).join('');
    const own = rules
      .filter((each) => !isEarly(each))
      .map(textOf)
      .join('');
    return {
      rules,
      policies: new Map([
        ['INPUT', input],
        ['OUTPUT', output],
      ]),
      text: `*mangle\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${early}COMMIT\n*filter\n:INPUT ${input} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ${output} [0:0]\n:one - [0:0]\n:two - [0:0]\n${own}COMMIT\n`,
    };
  });

const real = fc.record<Real>({
  source: fc.constantFrom(...ADDRESSES),
  destination: fc.constantFrom(...ADDRESSES),
  sport: fc.constantFrom(53, 1000, 40000),
  dport: fc.constantFrom(80, 443),
  udp: fc.boolean(),
});

/** The call for which the packet goes out or comes in; a socket that is not bound has no source. */
function callOf(packet: Real, hook: string, bound: boolean): Packet {
  const { source, destination, sport, dport, udp } = packet;
  const chain = hook === 'INPUT' ? 'ACCEPT' : udp ? 'SENDTO' : 'CONNECT';
  const own = hook === 'INPUT' || bound;
  return {
    ...PACKET,
    chain,
    protocol: udp ? PROTOCOL.udp : PROTOCOL.tcp,
    flags: udp ? 0 : 2,
    source: own ? source : 0n,
    destination,
    sourcePort: own || udp ? sport : 0,
    destinationPort: dport,
  };
}

test('nothing is accepted that the dump refuses', () => {
  let accepted = 0;
  const run = fc.property(
    dump,
    fc.array(fc.tuple(real, fc.boolean()), { minLength: 12, maxLength: 24 }),
    (given, calls) => {
      const { table, remarks } = imported(given.text);
      expect(remarks.filter(({ fate }) => fate === 'wider')).toEqual([]);
      for (const [packet, bound] of calls)
        for (const hook of ['INPUT', 'OUTPUT']) {
          if (hook === 'INPUT' && packet.udp) continue;
          const { errno } = evaluate(table, callOf(packet, hook, bound));
          if (errno !== 0) continue;
          accepted++;
          expect(accepts(given, hook, packet)).toBe(true);
        }
    },
  );
  fc.assert(run, { numRuns: forLength({ long: 5000, short: 200 }) });
  expect(accepted).toBeGreaterThan(200);
});

test('what is stated holds of the dump and of its import', async () => {
  let stated = 0;
  const run = fc.asyncProperty(
    dump,
    fc.array(real, { minLength: 12, maxLength: 24 }),
    async (given, packets) => {
      const { rules, invariants } = imported(given.text);
      if (invariants.length === 0) return;
      stated += invariants.length;
      const read = await readExpectations(stringify({ invariants }), 'x.test.yaml');
      if (!read.ok) throw new Error(JSON.stringify(read.findings));
      const results = testFile(fileOfText(rules), read.value);
      expect(results.flatMap(({ findings }) => findings)).toEqual([]);
      for (const expectation of read.value.expectations)
        for (const packet of packets)
          for (const hook of ['INPUT', 'OUTPUT']) {
            if ((hook === 'INPUT' && packet.udp) || expectation.kind === 'case') continue;
            const call = callOf(packet, hook, true);
            const isWithin = expectation.regions.some((region) => isIn(region, call));
            if (!isWithin) continue;
            const isAccepted = accepts(given, hook, packet);
            if (expectation.kind === 'always') expect(isAccepted).toBe(true);
            // The loopback device has more than a rule can say.
            if (!isAccepted || isLo(packet)) continue;
            expect(expectation.kind).not.toBe('never');
            if (expectation.kind === 'only')
              expect(expectation.accept.some((region) => isIn(region, call))).toBe(true);
          }
    },
  );
  await fc.assert(run, { numRuns: forLength({ long: 1500, short: 60 }) });
  expect(stated).toBeGreaterThan(20);
});

test('nothing is stated of what an uncertain goto refuses', async () => {
  const text =
    '*filter\n:OUTPUT ACCEPT [0:0]\n:one - [0:0]\n-A OUTPUT -s 10.0.0.0/24 -g one\n-A OUTPUT ! -d 10.0.1.0/24 -j ACCEPT\nCOMMIT\n';
  const { rules, invariants } = imported(text, new Map([['OUTPUT', ['CONNECT']]]));
  expect(rules).toContain('-s 10.0.0.0/24 -j DROP');
  expect(await invariantFaults(rules, invariants)).toEqual([]);
});

test('what can be said is said exactly', () => {
  const exact =
    '*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:web - [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m state --state NEW -j web\n-A web -s 10.0.0.0/8 -p tcp -m tcp --dport 80:90 -m comment --comment "the web" -j ACCEPT\nCOMMIT\n';
  const { rules, remarks } = imported(exact);
  expect(remarks).toEqual([]);
  expect(rules.split('\n').filter((line) => line.startsWith('-A'))).toEqual([
    '-A ACCEPT -4 -s 127.0.0.0/8 -j ACCEPT',
    '-A ACCEPT -4 -p tcp -j web',
    '-A ACCEPT -4 -j DROP',
    '-A web -4 -p tcp -m tcp --dport 80:90 -m comment --comment "the web" -s 10.0.0.0/8 -j ACCEPT',
  ]);
});

test('every line of a dump is there or told', () => {
  const text =
    '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j REDIRECT --to-ports 80\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -m recent --rcheck -j ACCEPT\n-A INPUT -p icmp -j ACCEPT\n-A FORWARD -i eth0 -j ACCEPT\n-A INPUT -j NFLOG --nflog-group 5\n-A INPUT -p sctp -j ACCEPT\n-A INPUT -p sctp -j DROP\nnonsense\nCOMMIT\n';
  const { remarks } = imported(text);
  expect(remarks.map(({ line, fate }) => `${line} ${fate}`)).toEqual([
    '3 note',
    '8 narrowed',
    '9 moot',
    '10 moot',
    '11 moot',
    '12 narrowed',
    '13 wider',
    '14 wider',
  ]);
});

test('thousands of rules come through', () => {
  const rows = Array.from(
    { length: 5000 },
    (_, at) =>
      `-A INPUT -s 10.${at >> 8}.${at & 255}.0/24 -p tcp -m tcp --dport ${at + 1} -j ACCEPT`,
  );
  const { table, remarks } = imported(`*filter\n:INPUT DROP [0:0]\n${rows.join('\n')}\nCOMMIT\n`);
  expect(remarks).toEqual([]);
  expect(table.chains.flatMap(({ rules }) => rules)).toHaveLength(5001);
});

test('nothing of a dump becomes a word or line of its own', () => {
  const text =
    '*filter\n:INPUT DROP [0:0]\n:a"b - [0:0]\n-A INPUT -m comment --comment "x\\" -j ACCEPT" -j DROP\n-A INPUT -s "10.0.0.1 -j ACCEPT" -j DROP\nCOMMIT\n';
  const { rules, remarks } = imported(text);
  expect(rules).not.toMatch(/-j ACCEPT$/m);
  expect(remarks.map(({ line, fate }) => `${line} ${fate}`)).toEqual(['5 wider']);
});

/** What a rule of INPUT becomes where ACCEPT stands for that, or RECVFROM, and what is told. */
const input = (rule: string, chain: BuiltinChain, policy = 'DROP') => {
  const text = `*filter\n:INPUT ${policy} [0:0]\n-A INPUT ${rule}\nCOMMIT\n`;
  const { rules, remarks } = imported(text, new Map([['INPUT', [chain]]]));
  const own = rules.split('\n').filter((line) => line.startsWith('-A'));
  return [own[0]?.replace(/^-A [A-Z]+ -4 /, '') ?? '-', remarks[0]?.fate ?? 'said'];
};

test.each([
  // For an address of ours is what opens a connection; a datagram may be for many hosts.
  ['-m addrtype --dst-type LOCAL -j ACCEPT', ['-j ACCEPT', 'said'], ['-j DROP', 'narrowed']],
  ['-m addrtype ! --dst-type LOCAL -j DROP', ['-j DROP', 'moot'], ['-j DROP', 'narrowed']],
  [
    '-m addrtype --dst-type MULTICAST -j DROP',
    ['-m addrtype --dst-type MULTICAST -j DROP', 'said'],
    ['-m addrtype --dst-type MULTICAST -j DROP', 'said'],
  ],
  [
    '-m addrtype --dst-type LOCAL,BROADCAST -j ACCEPT',
    ['-j ACCEPT', 'said'],
    ['-j DROP', 'narrowed'],
  ],
  ['-m addrtype --dst-type ANYCAST -j ACCEPT', ['-j DROP', 'narrowed'], ['-j DROP', 'narrowed']],
  ['-m pkttype --pkt-type broadcast -j ACCEPT', ['-j DROP', 'moot'], ['-j DROP', 'narrowed']],
  ['-m pkttype --pkt-type unicast -j ACCEPT', ['-j ACCEPT', 'said'], ['-j DROP', 'narrowed']],
  // A connection may be translated or not: nothing is known of a call.
  ['-m conntrack --ctstate DNAT -j ACCEPT', ['-j DROP', 'narrowed'], ['-j DROP', 'narrowed']],
  ['-m conntrack ! --ctstate DNAT -j ACCEPT', ['-j DROP', 'narrowed'], ['-j DROP', 'narrowed']],
  ['-m conntrack --ctstate NEW,DNAT -j ACCEPT', ['-j ACCEPT', 'said'], ['-j ACCEPT', 'said']],
  ['-m conntrack --ctstate INVALID -j ACCEPT', ['-j DROP', 'moot'], ['-j DROP', 'moot']],
])('%s', (rule, accept, recvfrom) => {
  expect([input(rule, 'ACCEPT'), input(rule, 'RECVFROM')]).toEqual([accept, recvfrom]);
});

test.each(['-m conntrack --ctstate DNAT -j DROP', '-m conntrack ! --ctstate DNAT -j DROP'])(
  '%s refuses whatever the state is',
  (rule) => expect(input(rule, 'ACCEPT', 'ACCEPT')).toEqual(['-j DROP', 'narrowed']),
);

test('a chain that connections and datagrams reach is there for each', () => {
  const text =
    '*filter\n:INPUT DROP [0:0]\n:own - [0:0]\n-A INPUT -j own\n-A own -m addrtype --dst-type LOCAL -j ACCEPT\nCOMMIT\n';
  const { rules } = imported(text, new Map([['INPUT', ['ACCEPT', 'RECVFROM']]]));
  expect(rules.split('\n').filter((line) => line.startsWith('-A'))).toEqual([
    '-A ACCEPT -4 -j own',
    '-A ACCEPT -4 -j DROP',
    '-A RECVFROM -4 -j own-2',
    '-A RECVFROM -4 -j DROP',
    '-A own -4 -j ACCEPT',
  ]);
});

test('a chain that calls in and out reach is there for each', () => {
  const text =
    '*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:reject - [0:0]\n-A INPUT -j reject\n-A OUTPUT -j reject\n-A reject ! -s 10.0.0.0/8 -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n';
  const { rules } = imported(text);
  expect(rules.split('\n').filter((line) => line.startsWith('-A'))).toEqual([
    '-A ACCEPT -4 -j reject',
    '-A CONNECT -4 -j reject-2',
    '-A SENDTO -4 -j reject-2',
    '-A reject -4 -p tcp ! -s 10.0.0.0/8 -j DROP',
    '-A reject-2 -4 -p tcp ! -s 10.0.0.0/8 -j REJECT --reject-with ECONNREFUSED',
  ]);
});

/** As versions before 1.4.3 wrote it, as they do since, and what it becomes. */
test.each([
  ['-s ! 10.0.0.0/8 -j DROP', '! -s 10.0.0.0/8'],
  ['-p ! tcp -j DROP', '! -p tcp'],
  ['-p tcp -m tcp --dport ! 1:1023 -j DROP', '! --dport 1:1023'],
  ['-p tcp -m tcp --tcp-flags ! FIN,SYN,RST,ACK SYN -j DROP', '! --tcp-flags'],
  ['-d ! 10.0.0.1 -p tcp -j DROP', '! -d 10.0.0.1'],
])('%s', (rule, said) => {
  const [line, fate] = input(rule, 'ACCEPT', 'ACCEPT');
  expect(fate === 'moot' || line?.includes(said)).toBe(true);
  const counted = imported(`*filter\n:INPUT ACCEPT [0:0]\n[3:180] -A INPUT ${rule} \nCOMMIT\n`);
  expect(counted.remarks.filter((each) => each.fate === 'wider')).toEqual([]);
});

test('every line of a router is there or told', () => {
  const refused = Array.from({ length: 3000 }, (_, n) => `198.${18 + (n >> 8)}.${n & 255}.0/24`);
  const text = routerDump({ zones: 6, refused, forwards: 800 });
  const { table, remarks, lines, invariants } = imported(text);
  const known = new Set([...remarks, ...lines].map(({ line }) => line));
  const rules = text.split('\n').flatMap((line, at) => (line.startsWith('-A') ? [at + 1] : []));
  expect(rules.length).toBeGreaterThan(3800);
  expect(rules.filter((line) => !known.has(line))).toEqual([]);
  expect(remarks.filter(({ fate }) => fate === 'wider')).toEqual([]);
  expect(invariants.length).toBeGreaterThan(0);
  const verdict = (source: string, port: number) =>
    evaluate(table, {
      ...PACKET,
      chain: 'ACCEPT',
      protocol: PROTOCOL.tcp,
      flags: 2,
      source: address(source),
      destination: address('203.0.113.1'),
      sourcePort: 40_000,
      destinationPort: port,
    }).errno;
  expect(verdict('192.168.1.7', 22)).toBe(0);
  expect(verdict('198.18.5.7', 22)).toBe(1);
  expect(verdict('192.0.2.7', 22)).toBe(1);
});
