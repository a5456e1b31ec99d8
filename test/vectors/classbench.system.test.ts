/** ClassBench filter sets in the kernel: each rule in a group and a chain; look-ups as evaluate() says. */
import { readFileSync } from 'node:fs';
import { includes, Universe } from '@sockfilter/diagram';
import { walkBlob } from '@sockfilter/kernel';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  contains,
  counterOwners,
  EMPTY_TABLE,
  elementAt,
  evaluator,
  type Match,
  type MatchOption,
  type Rule,
  type Table,
  type Target,
  type Value,
} from '@sockfilter/table';
import { compileTable } from '../../packages/kernel/src/generation.js';
import { MAX_STEPS } from '../../packages/kernel/src/layout.js';
import { packetSource } from '../arbitrary/packet.js';
import { seeded } from '../arbitrary/random.js';
import { describeKernel } from '../harness/kernel.js';
import { describeVectors } from '../harness/vectors.js';
import { JitWalk } from '../kernel/jitwalk.js';

const GROUPS = 50;
const LOOKUPS = 10_000;
const ANSWERED = 2000;

interface Placed {
  readonly chain: BuiltinChain;
  readonly rule: Rule;
}

/** `@src/len dst/len sport : sport dport : dport proto/mask flags` */
const LINE =
  /^@([\d.]+)\/(\d+)\s+([\d.]+)\/(\d+)\s+(\d+) : (\d+)\s+(\d+) : (\d+)\s+0x(\w+)\/0x(\w+)/;

function network(address: string, length: number): Value {
  const value = address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const mask = BigInt.asUintN(32, -1n << BigInt(32 - length));
  return { kind: 'network', family: 4, address: value & mask, mask };
}

const option = (name: string, value: Value): MatchOption => ({ name, negated: false, value });

/** The n-th rule, without what its chain has no notion of; accepting or refusing; each tenth only counts. */
function toRule(line: string, n: number, only?: BuiltinChain): Placed | undefined {
  const parts = LINE.exec(line);
  if (!parts) return undefined;
  const [source = '', sourceBits, destination = '', destinationBits] = parts.slice(1);
  const range = (at: number) => ({
    kind: 'portRange' as const,
    from: Number(elementAt(parts, at)),
    to: Number(elementAt(parts, at + 1)),
  });
  const isAny = ({ from, to }: { readonly from: number; readonly to: number }) =>
    to - from >= 65535;
  const [sport, dport] = [range(5), range(7)];
  const protocol = Number.parseInt(elementAt(parts, 9), 16);
  const chain = only ?? elementAt(BUILTIN_CHAINS, n % BUILTIN_CHAINS.length);
  const allowed = boundOf(chain, 'protocol')?.set;
  const isBind = chain === 'BIND';
  const ip: MatchOption[] = [];
  if (!isBind && sourceBits !== '0') ip.push(option('source', network(source, Number(sourceBits))));
  if (destinationBits !== '0')
    ip.push(option('destination', network(destination, Number(destinationBits))));
  const isNamed =
    parts[10] === 'FF' && allowed !== undefined && contains(allowed, BigInt(protocol));
  if (isNamed) ip.push(option('protocol', { kind: 'protocol', protocol }));
  const matches: Match[] = ip.length > 0 ? [{ name: 'ip', options: ip }] : [];
  const name = protocol === 6 ? 'tcp' : 'udp';
  const ports: MatchOption[] = [];
  if (!isBind && !isAny(sport)) ports.push(option('sport', sport));
  if (!isAny(dport)) ports.push(option('dport', dport));
  if (isNamed && (protocol === 6 || protocol === 17) && ports.length > 0)
    matches.push({ name, options: ports });
  const id = 1 + ((n * 7) % GROUPS);
  if (!only)
    matches.push({
      name: 'cgroup',
      options: [option('id', { kind: 'groupRange', from: id, to: id })],
    });
  const targets: readonly (Target | undefined)[] = [
    { kind: 'accept' },
    { kind: 'drop' },
    undefined,
  ];
  const target = targets[n % 10 === 3 ? 2 : (n >> 3) & 1];
  return { chain, rule: { matches, target, packets: 0n } };
}

/** @param only the chain of all rules, which name no group then: each in a chain and a group if absent */
function toTable(text: string, only?: BuiltinChain): Table {
  const rules = text.split('\n').flatMap((line, n) => toRule(line, n, only) ?? []);
  return {
    ...EMPTY_TABLE,
    chains: EMPTY_TABLE.chains.map((chain) => ({
      ...chain,
      rules: rules.filter((made) => made.chain === chain.name).map(({ rule }) => rule),
    })),
  };
}

/** Holds the table's blob and the kernel against evaluate(). */
function checkLookups(table: Table): void {
  const compiled = compileTable(table);
  const { rules, blob, owners } = compiled;
  const evaluate = evaluator(table);
  const nextPacket = packetSource(table, seeded(7));
  const wanted = owners.map(() => 0n);
  let matched = 0;
  let wrong: string | undefined;
  const jit = new JitWalk();
  try {
    jit.enforce(compiled);
    for (let n = 0; n < LOOKUPS; n++) {
      const packet = nextPacket();
      const { errno, decider, counted } = evaluate(packet);
      for (const counter of counted) wanted[counter] = elementAt(wanted, counter) + 1n;
      if (elementAt(owners, decider).rule) matched++;
      const walked = walkBlob(blob, packet);
      const isSame =
        walked.errno === errno &&
        walked.decider === decider &&
        walked.counted.toSorted().join() === counted.toSorted().join();
      if (!isSame)
        wrong ??= `blob ${n}: ${walked.errno} ${walked.counted}, not ${errno} ${counted}`;
      const inKernel = jit.run(packet).errno;
      if (inKernel !== errno) wrong ??= `kernel ${n}: ${inKernel}, not ${errno} ${counted}`;
    }
    const totals = jit.totals();
    const off = totals.findIndex((total, n) => total !== wanted[n]);
    if (off >= 0) wrong ??= `counter ${off}: ${totals[off]}, not ${wanted[off]}`;
  } finally {
    jit.close();
  }
  expect(wrong).toBeUndefined();
  expect(rules).toBeGreaterThan(800);
  expect(matched).toBeGreaterThan(LOOKUPS / 4);
  expect(blob.longestPath).toBeLessThan(MAX_STEPS);
}

describeKernel('ClassBench', () => {
  describeVectors({ folder: 'classbench', ending: '_1k.rules' }, (path) => {
    test(`${LOOKUPS} look-ups`, () => checkLookups(toTable(readFileSync(path, 'utf8'))));
  });
});

/** Holds what is said of the table, which is too much for one diagram, against evaluate(). */
function checkAnswers(table: Table): void {
  const loaded = new Universe().load(table);
  expect(loaded.isSliced).toBe(true);
  const evaluate = evaluator(table);
  const nextPacket = packetSource(table, seeded(7));
  const accepted = loaded.mayAccept;
  const dead = new Set(loaded.deadCounters());
  const redundant = new Set(loaded.redundantCounters());
  expect(dead.size).toBeGreaterThan(10);
  expect(redundant.size).toBeGreaterThan(100);
  const without = evaluator(withoutFirst(table, redundant));
  let wrong: string | undefined;
  const wanted = (said: boolean, what: string) => {
    if (!said) wrong ??= what;
  };
  for (let n = 0; n < ANSWERED; n++) {
    const packet = nextPacket();
    const { errno, decider, counted } = evaluate(packet);
    wanted(includes(accepted, packet) === (errno === 0), `${n} may be accepted`);
    wanted(!counted.some((counter) => dead.has(counter)), `${n} is counted by a dead rule`);
    wanted(without(packet).errno === errno, `${n} needs a redundant rule`);
    if (n % 100 === 0) wanted(includes(loaded.decidedBy(decider), packet), `${n} by ${decider}`);
  }
  for (const counter of redundant) {
    const example = loaded.exampleOf(counter);
    wanted(
      example !== undefined && evaluate(example).counted.includes(counter),
      `${counter} by its example`,
    );
  }
  expect(wrong).toBeUndefined();
}

/** The table without the first of the rules: each may go alone, not all together. */
function withoutFirst(table: Table, counters: ReadonlySet<number>): Table {
  const gone = elementAt(counterOwners(table), elementAt([...counters], 0)).rule;
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.filter((rule) => rule !== gone),
  }));
  return { ...table, chains };
}

describe('ClassBench in one chain', () => {
  describeVectors({ folder: 'classbench', ending: 'fw1_4k.rules' }, (path) => {
    test('answers of a table in slices', () =>
      checkAnswers(toTable(readFileSync(path, 'utf8'), 'CONNECT')));
  });
});
