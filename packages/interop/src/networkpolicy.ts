/**
 * Kubernetes NetworkPolicies as rules about the control groups of pods. Which pods there are, with their labels,
 * addresses and control groups, is given. A pod that a policy selects may do what any policy that selects it allows,
 * and nothing else, in the directions that those policies are about.
 */
import type { Source } from '@sockfilter/language';
import { type BuiltinChain, readCallNetwork } from '@sockfilter/table';
import { LineCounter, parseAllDocuments } from 'yaml';
import {
  type Draft,
  type DraftLine,
  type Fate,
  type Invariant,
  type Remark,
  word,
} from './draft.js';

type Fields = Readonly<Record<string, unknown>>;

interface Labelled {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Pod extends Labelled {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Its control group; a pod of another host has none here. */
  readonly path: string | undefined;
  /** Numbers of named ports. */
  readonly ports: Readonly<Record<string, number>>;
}

interface Policy {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly namespace: string;
  readonly spec: Fields;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

function labelsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).map(([key, each]) => [key, String(each)]),
  );
}

/** Every object of the documents, those of lists too, each with its line. */
function objectsOf(source: Source, remarks: Remark[]): readonly (readonly [number, Fields])[] {
  const counter = new LineCounter();
  const documents = parseAllDocuments(source.text, { lineCounter: counter, merge: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const line = document.contents?.range ? counter.linePos(document.contents.range[0]).line : 1;
    const [error] = document.errors;
    if (error) {
      const at = counter.linePos(error.pos[0]).line;
      const [reason = 'no YAML'] = error.message.split('\n');
      remarks.push({ file: source.name, line: at, fate: 'wider', text: '', reason });
      return [];
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const items = isFields(value) && Array.isArray(value.items) ? value.items : [value];
    return items.filter(isFields).map((item) => [line, item] as const);
  });
}

function podOf(item: Fields): Pod {
  const [metadata, status, spec] = [item.metadata, item.status, item.spec].map(fieldsOf);
  const given = [item.ips ?? item.ip ?? status?.podIPs ?? status?.podIP].flat();
  const ports = listOf(spec?.containers)
    .flatMap((container) => listOf(fieldsOf(container).ports))
    .map(fieldsOf)
    .flatMap(({ name, containerPort }) =>
      typeof name === 'string' && typeof containerPort === 'number'
        ? [[name, containerPort] as const]
        : [],
    );
  return {
    name: textOf(item.name ?? metadata?.name) ?? '',
    namespace: textOf(item.namespace ?? metadata?.namespace) ?? 'default',
    labels: labelsOf(item.labels ?? metadata?.labels),
    addresses: given.flatMap((each) => textOf(fieldsOf(each).ip ?? each) ?? []),
    path: textOf(item.path),
    ports: { ...Object.fromEntries(ports), ...portsOf(item.ports) },
  };
}

function portsOf(value: unknown): Readonly<Record<string, number>> {
  const rows = Object.entries(fieldsOf(value));
  return Object.fromEntries(
    rows.flatMap(([key, port]) => (typeof port === 'number' ? [[key, port]] : [])),
  );
}

/** Whether the labels are what the selector wants; an empty one wants nothing. */
function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const isLabelled = Object.entries(labelsOf(matchLabels)).every(
    ([key, value]) => labels[key] === value,
  );
  return (
    isLabelled &&
    listOf(matchExpressions)
      .map(fieldsOf)
      .every(({ key, operator, values }) => {
        const label = labels[String(key)];
        const isIn = label !== undefined && listOf(values).includes(label);
        if (operator === 'In') return isIn;
        if (operator === 'NotIn') return !isIn;
        if (operator === 'Exists') return label !== undefined;
        return operator === 'DoesNotExist' && label === undefined;
      })
  );
}

/** Each way in which data goes: the field of the rules, and the chains that see it. */
const DIRECTIONS = [
  { type: 'Ingress', field: 'ingress', peers: 'from', tcp: 'ACCEPT', udp: 'RECVFROM' },
  { type: 'Egress', field: 'egress', peers: 'to', tcp: 'CONNECT', udp: 'SENDTO' },
] as const satisfies readonly {
  readonly type: string;
  readonly field: string;
  readonly peers: string;
  readonly tcp: BuiltinChain;
  readonly udp: BuiltinChain;
}[];

type Direction = (typeof DIRECTIONS)[number];

/** Words for the far end: of networks without some of their parts, several rules in order. */
interface Peer {
  readonly network: string | undefined;
  readonly except: readonly string[];
}

interface PortWords {
  readonly protocol: 'tcp' | 'udp';
  readonly words: string;
  /** The same in the words of an expectation file. */
  readonly region: Invariant;
}

/** What a policy can say; what else it says may restrict it. */
const KNOWN = {
  spec: ['podSelector', 'policyTypes', 'ingress', 'egress'],
  rule: ['from', 'to', 'ports'],
  peer: ['podSelector', 'namespaceSelector', 'ipBlock'],
  block: ['cidr', 'except'],
  port: ['protocol', 'port', 'endPort'],
  selector: ['matchLabels', 'matchExpressions'],
  expression: ['key', 'operator', 'values'],
} as const;

/** The keys of a policy that are not known. */
function unknownKeys({ spec }: Policy): readonly string[] {
  const beside = (value: unknown, what: keyof typeof KNOWN) => {
    const known: readonly string[] = KNOWN[what];
    return Object.keys(fieldsOf(value)).filter((key) => !known.includes(key));
  };
  const inSelector = (value: unknown): readonly string[] => [
    ...beside(value, 'selector'),
    ...listOf(fieldsOf(value).matchExpressions).flatMap((each) => beside(each, 'expression')),
  ];
  const rules = [...listOf(spec.ingress), ...listOf(spec.egress)].map(fieldsOf);
  const peers = rules.flatMap(({ from, to }) => [...listOf(from), ...listOf(to)]).map(fieldsOf);
  return [
    ...beside(spec, 'spec'),
    ...inSelector(spec.podSelector),
    ...rules.flatMap((rule) => [
      ...beside(rule, 'rule'),
      ...listOf(rule.ports).flatMap((port) => beside(port, 'port')),
    ]),
    ...peers.flatMap((peer) => [
      ...beside(peer, 'peer'),
      ...beside(peer.ipBlock, 'block'),
      ...inSelector(peer.podSelector),
      ...inSelector(peer.namespaceSelector),
    ]),
  ];
}

class Cluster {
  readonly lines: DraftLine[] = [];
  readonly chains: string[] = [];
  readonly invariants: Invariant[] = [];
  readonly remarks: Remark[];
  readonly #pods: readonly Pod[];
  readonly #namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;

  constructor(
    pods: readonly Pod[],
    namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
    remarks: Remark[],
  ) {
    this.#pods = pods;
    this.#namespaces = namespaces;
    this.remarks = remarks;
  }

  #tell({ file, line, name, namespace }: Policy, fate: Fate, reason: string): void {
    const text = `${namespace}/${name}`;
    if (!this.remarks.some((each) => each.line === line && each.reason === reason))
      this.remarks.push({ file, line, fate, text, reason });
  }

  #namespaceLabels(namespace: string): Readonly<Record<string, string>> {
    return { 'kubernetes.io/metadata.name': namespace, ...this.#namespaces.get(namespace) };
  }

  run(policies: readonly Policy[]): void {
    for (const policy of policies)
      for (const key of unknownKeys(policy))
        this.#tell(policy, 'wider', `\`${key}\` is not known, and may restrict it`);
    for (const policy of policies)
      if (!this.#pods.some((pod) => isSelected(policy, pod)))
        this.#tell(policy, 'note', 'it selects none of the pods that are given');
    for (const pod of this.#pods) {
      const own = policies.filter((policy) => isSelected(policy, pod));
      for (const direction of DIRECTIONS) {
        const about = own.filter((policy) => typesOf(policy).includes(direction.type));
        const [first] = about;
        if (!first) continue;
        if (pod.path === undefined) {
          this.#tell(
            first,
            'note',
            `pod ${pod.namespace}/${pod.name} has no \`path\` here: nothing is written for it`,
          );
          continue;
        }
        const { path } = pod;
        this.#state(
          pod,
          path,
          direction,
          about.flatMap((policy) => this.#allow(policy, pod, path, direction)),
        );
        for (const chain of [direction.tcp, direction.udp])
          this.#write(first, chain, '', pod.path, '-j DROP', true);
      }
    }
  }

  #write(
    policy: Policy,
    chain: string,
    words: string,
    path: string | undefined,
    end: string,
    refuses: boolean,
  ): void {
    const scope = path === undefined ? '' : ` -m cgroup --path ${word(path)}`;
    const text = `-A ${chain}${words === '' ? '' : ` ${words}`}${scope} ${end}`;
    const original = `${policy.namespace}/${policy.name}`;
    this.lines.push({ text, file: policy.file, line: policy.line, original, refuses });
  }

  /** The regions that it allows. */
  #allow(policy: Policy, pod: Pod, path: string, direction: Direction): readonly Invariant[] {
    const regions: Invariant[] = [];
    for (const rule of listOf(policy.spec[direction.field]).map(fieldsOf))
      for (const peer of this.#peers(policy, rule[direction.peers]))
        for (const port of this.#ports(policy, pod, rule, direction, peer)) {
          this.#accept(policy, direction[port.protocol], port.words, path, peer, direction);
          if (![peer.network ?? '::', ...peer.except].every(readCallNetwork)) continue;
          const except = peer.except.map((each) => `!${each}`);
          const remote = peer.network === undefined ? {} : { remote: [peer.network, ...except] };
          regions.push({ ...port.region, ...remote });
        }
    return regions;
  }

  #state(
    { namespace, name }: Pod,
    path: string,
    { type, field, tcp, udp }: Direction,
    regions: readonly Invariant[],
  ): void {
    const within = { chain: [tcp, udp], group: path };
    const accept = [...new Map(regions.map((each) => [JSON.stringify(each), each])).values()];
    const pod = `${namespace}/${name}`;
    if (accept.length === 0)
      this.invariants.push({ name: `${pod}: no ${field}`, never: 'accept', in: within });
    else if (accept.every((each) => Object.keys(each).length > 0))
      this.invariants.push({
        name: `${pod}: nothing but what policies about ${type} allow`,
        only: { in: within, accept },
      });
  }

  #accept(
    policy: Policy,
    chain: BuiltinChain,
    words: string,
    path: string,
    peer: Peer,
    direction: Direction,
  ): void {
    const side = direction.type === 'Ingress' ? '-s' : '-d';
    const network = peer.network === undefined ? '' : `${side} ${word(peer.network)} `;
    if (peer.except.length === 0) {
      this.#write(policy, chain, `${network}${words}`.trim(), path, '-j ACCEPT', false);
      return;
    }
    const name = `except-${this.chains.length + 1}`;
    this.chains.push(name);
    for (const each of peer.except)
      this.#write(policy, name, `${side} ${word(each)}`, undefined, '-j RETURN', true);
    this.#write(policy, name, '', undefined, '-j ACCEPT', false);
    this.#write(policy, chain, `${network}${words}`.trim(), path, `-j ${name}`, false);
  }

  #peers(policy: Policy, value: unknown): readonly Peer[] {
    const peers = listOf(value).map(fieldsOf);
    if (peers.length === 0) return [{ network: undefined, except: [] }];
    return peers.flatMap((peer): readonly Peer[] => {
      const block = fieldsOf(peer.ipBlock);
      const cidr = textOf(block.cidr);
      if (cidr !== undefined) return [{ network: cidr, except: listOf(block.except).map(String) }];
      const found = this.#pods.filter(({ namespace, labels }) => {
        const inSpace = isFields(peer.namespaceSelector)
          ? selects(peer.namespaceSelector, this.#namespaceLabels(namespace))
          : namespace === policy.namespace;
        return inSpace && selects(peer.podSelector, labels);
      });
      const addresses = found.flatMap((pod) => pod.addresses);
      if (addresses.length === 0)
        this.#tell(policy, 'narrowed', `a peer selects no address of the pods that are given`);
      return addresses.map((network) => ({ network, except: [] }));
    });
  }

  /** The ports of a rule: of ours on the way in, of the peer's on the way out. */
  #ports(
    policy: Policy,
    pod: Pod,
    rule: Fields,
    direction: Direction,
    peer: Peer,
  ): readonly PortWords[] {
    const ports = listOf(rule.ports).map(fieldsOf);
    if (ports.length === 0)
      return (['tcp', 'udp'] as const).map((protocol) => ({ protocol, words: '', region: {} }));
    return ports.flatMap(({ protocol: said = 'TCP', port, endPort }): readonly PortWords[] => {
      const protocol = said === 'TCP' ? 'tcp' : said === 'UDP' ? 'udp' : undefined;
      if (protocol === undefined) {
        this.#tell(policy, 'narrowed', `left out: no socket call has ${String(said)}`);
        return [];
      }
      const proto = { proto: protocol };
      if (port === undefined) return [{ protocol, words: `-p ${protocol}`, region: proto }];
      const numbers =
        typeof port === 'number' ? [port] : this.#named(String(port), pod, direction, peer);
      if (numbers.length === 0)
        this.#tell(
          policy,
          'narrowed',
          `left out: the pods that are given have no port \`${String(port)}\``,
        );
      return numbers.map((number) => {
        const range = typeof endPort === 'number' ? `${number}:${endPort}` : String(number);
        const region = { ...proto, dport: range.replace(':', '-') };
        return { protocol, words: `-p ${protocol} --dport ${range}`, region };
      });
    });
  }

  #named(name: string, pod: Pod, { type }: Direction, { network }: Peer): readonly number[] {
    const owners =
      type === 'Ingress'
        ? [pod]
        : this.#pods.filter(({ addresses }) => addresses.includes(network ?? ''));
    return [...new Set(owners.flatMap(({ ports }) => ports[name] ?? []))];
  }
}

function isSelected({ namespace, spec }: Policy, pod: Pod): boolean {
  return pod.namespace === namespace && selects(spec.podSelector, pod.labels);
}

/** What the policy is about; as Kubernetes fills it in where it is not said. */
function typesOf({ spec }: Policy): readonly unknown[] {
  const said = listOf(spec.policyTypes);
  if (said.length > 0) return said;
  return spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
}

/** `pods` are Pod and Namespace objects, or rows of name, namespace, labels, ips, path and ports. */
export function importPolicies(sources: readonly Source[], pods: readonly Source[]): Draft {
  const remarks: Remark[] = [];
  const given = pods.flatMap((source) => objectsOf(source, remarks)).map(([, item]) => item);
  const isNamespace = ({ kind }: Fields) => kind === 'Namespace';
  const namespaces = new Map(
    given.filter(isNamespace).map(({ metadata }) => {
      const { name, labels } = fieldsOf(metadata);
      return [String(name), labelsOf(labels)] as const;
    }),
  );
  const policies = sources.flatMap((source) =>
    objectsOf(source, remarks).flatMap(([line, item]): readonly Policy[] => {
      const { name, namespace } = fieldsOf(item.metadata);
      const place = {
        file: source.name,
        line,
        name: String(name),
        namespace: textOf(namespace) ?? 'default',
      };
      if (item.kind === 'NetworkPolicy') return [{ ...place, spec: fieldsOf(item.spec) }];
      const reason = `this is no NetworkPolicy but a ${String(item.kind)}`;
      remarks.push({ ...place, fate: 'moot', text: place.name, reason });
      return [];
    }),
  );
  const cluster = new Cluster(
    given.filter((item) => !isNamespace(item)).map(podOf),
    namespaces,
    remarks,
  );
  cluster.run(policies);
  const { chains, lines, invariants } = cluster;
  return { chains, lines, remarks, invariants };
}
