type Range = readonly [from: bigint, to: bigint];
type ValueSet =
  | {
      readonly kind: 'ranges';
      readonly ranges: readonly Range[];
    }
  | {
      readonly kind: 'masked';
      readonly value: bigint;
      readonly mask: bigint;
    };
interface Bound {
  readonly set: ValueSet;
  /** Why it has no other, for messages. */
  readonly reason: string;
}
interface ChainDescriptor {
  /** The socket call as words have it: `connect(tcp, 10.0.0.5:80)`. */
  readonly call: string;
  /** What tells its calls apart, in words. */
  readonly apart: string;
  /** Which end of the packet is that of our socket; the other one is the peer's. */
  readonly ours: 'source' | 'destination';
  /** Why there is no peer; undefined where there is one. */
  readonly noPeer?: string;
  /** Whose ids the packet has: the calling task's, or those that the socket got from its maker. */
  readonly ids: 'caller' | 'socket';
  /** What comes of a refusal: the call fails with an errno, or a packet is lost and nobody is told. */
  readonly refusal: 'errno' | 'silence';
  /** Why the socket's mark can't be set there so that this call has it. */
  readonly unmarkable?: string;
  /** Why the address that is asked for can't be made another one there. */
  readonly unwritable?: string;
  /** Why a call that rules have rewritten may be judged once more as it is by then, by what they have rewritten. */
  readonly judgedAgain?: Partial<Readonly<Record<Field, string>>>;
  /** The fields that the chain restricts by itself. */
  readonly bounds: Partial<Readonly<Record<Field, Bound>>>;
  /** The TCP flags byte by protocol, where it is not 0. */
  readonly flags: Readonly<Record<number, number>>;
  /** Its place among the chains when a call of any would do as an example; the lowest is taken. */
  readonly exampleRank: number;
  /** An ordinary socket has no address of its own when it makes the call. */
  readonly usuallyUnbound: boolean;
}
declare const CHAINS: {
  readonly BIND: ChainDescriptor;
  readonly ACCEPT: ChainDescriptor;
  readonly CONNECT: ChainDescriptor;
  readonly SENDTO: ChainDescriptor;
  readonly RECVFROM: ChainDescriptor;
};
type BuiltinChain = keyof typeof CHAINS;
interface Dodge {
  readonly chains: readonly BuiltinChain[];
  /** By having none of it; else by having another. */
  readonly byNone: boolean;
  /** How, as in `a socket ...`. */
  readonly text: string;
}
interface DetailDescriptor {
  /** Width in bits: 32, or a multiple of 16. */
  readonly bits: number;
  /** The chains whose calls have none, each with the reason: there it is 0. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** The values that it can have; undefined for any. */
  readonly values?: {
    readonly set: ValueSet;
    readonly reason: string;
  };
  /** Where callers choose it, so that they get round what refuses them for it alone. */
  readonly dodge?: Dodge;
  /** What it is, as in `filesystem uid of the caller`. */
  readonly text: string;
  /** Values that lie together as one word, and from it; undefined for what is none. */
  readonly print: (range: Range) => string;
  readonly read: (text: string) => Range | undefined;
  /** What is to be written. */
  readonly help: string;
}
declare const DETAILS: {
  readonly netns: DetailDescriptor;
  readonly device: DetailDescriptor;
  readonly comm: DetailDescriptor;
};
type Detail = keyof typeof DETAILS;
type Family = 4 | 6;
/**
 * One socket call, in host byte order throughout.
 *
 * `source` and `destination` are unsigned integers of 32 bits (family 4) or 128 bits (family 6); an
 * IPv4-mapped IPv6 address is a packet of family 4. `flags` is the TCP flags byte, 0 unless tcp.
 * `group` is the network_id, 0 for none. `uid` and `gid` are filesystem ids, in the initial user namespace. `mark` is the
 * socket's, SO_MARK. Details (details.ts) and drawn numbers (luck.ts) that are not there are 0.
 */
export interface Packet {
  readonly chain: BuiltinChain;
  readonly group: number;
  readonly family: Family;
  readonly protocol: number;
  readonly source: bigint;
  readonly destination: bigint;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly mark: number;
  readonly netns?: bigint;
  readonly device?: bigint;
  readonly comm?: bigint;
  readonly chance?: number;
  readonly persistence?: number;
}
type Field = keyof Packet;
type AddressType = 'UNSPEC' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';
declare const KEY_FIELDS: readonly ['srcip', 'srcport', 'dstip', 'dstport', 'group'];
type KeyField = (typeof KEY_FIELDS)[number];
interface BucketKey {
  readonly fields: readonly KeyField[];
  /** 0 to 128; of addresses of IPv4 all count from 32 on. */
  readonly sourceBits: number;
  readonly destinationBits: number;
}
interface Schedule {
  /** Seconds since midnight, both included; past midnight where `from` is not less than `to`. */
  readonly from: number;
  readonly to: number;
  /** Hours past midnight belong to the day before. */
  readonly isContiguous: boolean;
  /** Bits 1, Monday, to 7. */
  readonly weekdays: number;
  /** Bits 1 to 31. */
  readonly monthdays: number;
  /** Seconds since 1970, both included. */
  readonly begin: number;
  readonly end: number;
  /** By the kernel's time zone, else by UTC. */
  readonly isLocal: boolean;
}
declare const SET_TYPES: {
  readonly ip: {
    readonly parts: readonly ['address'];
    readonly ipset: 'hash:ip';
  };
  readonly net: {
    readonly parts: readonly ['network'];
    readonly ipset: 'hash:net';
  };
  readonly port: {
    readonly parts: readonly ['port'];
    readonly ipset: 'bitmap:port';
  };
  readonly 'ip,port': {
    readonly parts: readonly ['address', 'service'];
    readonly ipset: 'hash:ip,port';
  };
  readonly 'net,port': {
    readonly parts: readonly ['network', 'service'];
    readonly ipset: 'hash:net,port';
  };
};
type SetType = keyof typeof SET_TYPES;
type Side = 'src' | 'dst';
interface Questions {
  /** Holds in `threshold` of 2^31 cases. */
  readonly chance: {
    readonly threshold: number;
  };
  /** Of each `every` calls that ask, holds for the one with the number `at`, from 0. */
  readonly turn: {
    readonly every: number;
    readonly at: number;
  };
  /**
   * A bucket of `burst` tokens, full at first, that gets one each `cost` nanoseconds. Holds if there is a
   * token, and takes it. Time that the machine was suspended counts.
   */
  readonly bucket: {
    readonly cost: bigint;
    readonly burst: number;
  };
  /**
   * A bucket as above for each value of the key; `room` of them find a place, in each group where that is part of
   * the key. One that is full again needs none. Where there is no place for another one, it has no token.
   */
  readonly buckets: BucketKey & {
    readonly cost: bigint;
    readonly burst: number;
    readonly room: number;
  };
  /** Holds so often, and never again. */
  readonly budget: {
    readonly calls: bigint;
  };
  /** Holds at certain hours of certain days. Asks the time of day, and has no state. */
  readonly schedule: Schedule;
  /**
   * Holds for packets that the named set has or, of `exceptions`, for those of which an exception says that it has
   * them not. `changes`: by itself, since elements time out. `counts`: in the element that is found.
   */
  readonly member: {
    readonly set: string;
    readonly type: SetType;
    readonly family: Family;
    readonly sides: readonly Side[];
    readonly exceptions: boolean;
    readonly changes: boolean;
    readonly counts: boolean;
  };
}
type QuestionKind = keyof Questions;
type QuestionOf<K extends QuestionKind> = {
  readonly [P in K]: {
    readonly kind: P;
  } & Questions[P];
}[K];
type Question = QuestionOf<QuestionKind>;
interface OpaqueTest {
  readonly question: Question;
  readonly negated: boolean;
}
type StateName = 'fresh' | 'exhausted';
interface Circumstances {
  readonly state?: StateName | undefined;
  /** Seconds since 1970 by the clock on the wall, whatever its time zone is. */
  readonly time?: number | undefined;
}
interface Test {
  readonly field: Field;
  readonly set: ValueSet;
  readonly negated: boolean;
}
type Clause = readonly Test[];
interface PlainTest {
  readonly field: Field;
  readonly family: Family | undefined;
  readonly from: number;
  readonly to: number;
}
interface SetElement {
  /** Without a bit behind the prefix. */
  readonly address: bigint;
  readonly prefix: number;
  readonly protocol: number;
  readonly port: number;
  /** Seconds that it has left; undefined if it stays. */
  readonly timeout: number | undefined;
  /** An exception: what lies in it is not in the set, unless a longer network has that. */
  readonly nomatch: boolean;
  /** Calls that it has counted; undefined where that is not said. Its set has `counters`. */
  readonly packets: bigint | undefined;
  /** Its set has `comments`. */
  readonly comment: string | undefined;
}
interface NamedSet {
  readonly name: string;
  readonly type: SetType;
  /** Of its addresses; 4 where it has none. */
  readonly family: Family;
  /** Seconds that an element has which says nothing else, 0 for one that stays; undefined: all stay. */
  readonly timeout: number | undefined;
  readonly maxelem: number;
  /** Whether elements count the calls that found them. */
  readonly counters: boolean;
  /** Whether elements can have comments. */
  readonly comments: boolean;
  readonly elements: readonly SetElement[];
}
declare const REJECT_ERRNO: {
  readonly EPERM: 1;
  readonly EACCES: 13;
  readonly EADDRNOTAVAIL: 99;
  readonly ENETUNREACH: 101;
  readonly ETIMEDOUT: 110;
  readonly ECONNREFUSED: 111;
  readonly EHOSTUNREACH: 113;
};
type RejectErrno = keyof typeof REJECT_ERRNO;
interface AddressSpan {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}
interface PortSpan {
  readonly first: number;
  readonly last: number;
}
interface Values {
  /** Option without a value. */
  readonly none: Record<never, never>;
  /** Protocol number; 0 is every protocol. */
  readonly protocol: {
    readonly protocol: number;
  };
  /** `address` has no bit outside `mask`; the mask may have holes. */
  readonly network: {
    readonly family: Family;
    readonly address: bigint;
    readonly mask: bigint;
  };
  readonly addressRange: {
    readonly family: Family;
    readonly from: bigint;
    readonly to: bigint;
  };
  /** Port numbers, both ends included. */
  readonly portRange: {
    readonly from: number;
    readonly to: number;
  };
  /** Ports and port ranges in the order written. */
  readonly portList: {
    readonly ranges: readonly {
      readonly from: number;
      readonly to: number;
    }[];
  };
  /** network_ids, both ends included. */
  readonly groupRange: {
    readonly from: number;
    readonly to: number;
  };
  /** In the order of ADDRESS_TYPES. */
  readonly addressTypes: {
    readonly types: readonly AddressType[];
  };
  /** Absolute path of a control group below the cgroup2 mount, `/` for the root. */
  readonly groupPath: {
    readonly path: string;
  };
  /** User or group ids, both ends included. */
  readonly ownerRange: {
    readonly from: number;
    readonly to: number;
  };
  /** TCP flags: those of `mask` are looked at, those of `set` must be set among them. */
  readonly tcpFlags: {
    readonly mask: number;
    readonly set: number;
  };
  readonly text: {
    readonly text: string;
  };
  /** What a log line begins with. */
  readonly prefix: {
    readonly prefix: string;
  };
  /** As in syslog(3), 0 to 7. */
  readonly logLevel: {
    readonly level: number;
  };
  readonly errno: {
    readonly errno: RejectErrno;
  };
  /** A number of something, 64 bits unsigned. */
  readonly count: {
    readonly count: bigint;
  };
  /** One of the words that the option takes. */
  readonly word: {
    readonly word: string;
  };
  /** `threshold` of 2^31 cases. */
  readonly probability: {
    readonly threshold: number;
  };
  /** Seconds since midnight. */
  readonly timeOfDay: {
    readonly seconds: number;
  };
  /** Seconds since 1970, as if all clocks went by one time zone. */
  readonly date: {
    readonly seconds: number;
  };
  /** Bit n is day n: 1 for Monday to 7 for Sunday. */
  readonly weekdays: {
    readonly days: number;
  };
  /** Bit n is day n, 1 to 31. */
  readonly monthdays: {
    readonly days: number;
  };
  /** Marks of which the bits of `mask` are those of `value`; 32 bits each. */
  readonly mark: {
    readonly value: number;
    readonly mask: number;
  };
  /** A mark becomes `(mark & ~mask) ^ value`; 32 bits each. */
  readonly xmark: {
    readonly value: number;
    readonly mask: number;
  };
  /** What a destination becomes: an address, a port, or both; or one of several. */
  readonly endpoint: {
    readonly address: AddressSpan | undefined;
    readonly port: PortSpan | undefined;
  };
  /** The port that a destination gets, or several of which it gets one. */
  readonly toPort: PortSpan;
  /** Bits of a mark, 32. */
  readonly bits: {
    readonly bits: number;
  };
  /** A detail of a call, in the words of its row. */
  readonly detail: {
    readonly detail: Detail;
    readonly word: string;
  };
  /** A named set, and which end of the packet each part of its elements is compared with. */
  readonly setRef: {
    readonly set: string;
    readonly sides: readonly Side[];
  };
  /** What buckets are kept for, in the order of KEY_FIELDS. */
  readonly keyFields: {
    readonly fields: readonly KeyField[];
  };
  /** A name that means nothing else: 1 to 255 printable characters without blanks, quotes and `/`. */
  readonly label: {
    readonly label: string;
  };
  /** `count` in each so many seconds, the shortest period in which it is a whole number. */
  readonly rate: {
    readonly count: number;
    readonly seconds: RatePeriod;
  };
}
declare const RATE_PERIODS: readonly [1, 60, 3600, 86400];
type RatePeriod = (typeof RATE_PERIODS)[number];
type ValueKind = keyof Values;
type Value = {
  readonly [K in ValueKind]: {
    readonly kind: K;
  } & Values[K];
}[ValueKind];
interface MatchOption {
  readonly name: string;
  readonly negated: boolean;
  readonly value: Value;
}
interface Scope {
  readonly groups: readonly Group[];
  readonly sets: readonly NamedSet[];
}
interface OptionDescriptor {
  readonly value: ValueKind;
  readonly negatable: boolean;
  /** The chains in which the packet has no such thing, each with the reason. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** What must hold, as clauses that must all hold; empty if the option never restricts. */
  readonly clauses: (option: MatchOption, scope: Scope) => readonly Clause[];
  /** The same as one test of numbers; undefined for an option that is more than that. */
  readonly plain?: (option: MatchOption) => PlainTest | undefined;
  /** The least and the most of a count. */
  readonly bounds?: readonly [least: bigint, most: bigint];
  /** The words that it takes. */
  readonly choices?: readonly string[];
  /** The detail that it is about. */
  readonly detail?: Detail;
}
type Settled =
  | {
      readonly options: readonly MatchOption[];
    }
  | {
      readonly message: string;
      readonly help?: string;
      /** The option that is wrong; the match if it is undefined. */
      readonly option?: string;
    };
interface MatchDescriptor {
  /** Name after `-m`; the options that need no `-m` (-s, -d, -p, -4, -6) belong to `ip`. */
  readonly name: string;
  /** The protocols of which a rule with this match must name one. */
  readonly protocols?: readonly number[];
  /** Options that can't stand together in one match. */
  readonly exclusive?: readonly (readonly string[])[];
  /** At least one option must be given. */
  readonly needsOption: boolean;
  /** In the order in which they are printed. */
  readonly options: Readonly<Record<string, OptionDescriptor>>;
  /** From the options given, in order: with what iptables says where they don't, without what it leaves out. */
  readonly settle?: (options: readonly MatchOption[]) => Settled;
  /** What it asks once all fields of its rule hold. */
  readonly asks?: (options: readonly MatchOption[], scope: Scope) => OpaqueTest;
}
declare const MATCHES: {
  readonly ip: MatchDescriptor;
  readonly tcp: MatchDescriptor;
  readonly udp: MatchDescriptor;
  readonly udplite: MatchDescriptor;
  readonly multiport: MatchDescriptor;
  readonly iprange: MatchDescriptor;
  readonly addrtype: MatchDescriptor;
  readonly cgroup: MatchDescriptor;
  readonly owner: MatchDescriptor;
  readonly comm: MatchDescriptor;
  readonly netns: MatchDescriptor;
  readonly comment: MatchDescriptor;
  readonly socket: MatchDescriptor;
  readonly limit: MatchDescriptor;
  readonly hashlimit: MatchDescriptor;
  readonly statistic: MatchDescriptor;
  readonly quota: MatchDescriptor;
  readonly time: MatchDescriptor;
  readonly set: MatchDescriptor;
  readonly mark: MatchDescriptor;
};
type MatchName = keyof typeof MATCHES;
declare const LUCK_BITS: {
  readonly chance: 32;
  readonly persistence: 16;
};
type Luck = keyof typeof LUCK_BITS;
interface Choice {
  readonly by: Luck;
  /** How many destinations there are: values of all parts, each with each; below 2^32. */
  readonly of: number;
  /** By how many of them the next value of this part comes. */
  readonly step: number;
  readonly count: number;
  /** The first and last number that is still possible where the walk of rules is. */
  readonly within?: readonly [first: number, last: number];
}
interface Change {
  /** The bits that stay what they are. */
  readonly keep: bigint;
  /** The bits that are turned after that. */
  readonly flip: bigint;
  /** That is the first of several values behind each other, of which one is chosen; nothing is kept then. */
  readonly among?: Choice;
}
type RewrittenPart = 'destination4' | 'destination6' | 'destinationPort' | 'mark';
type Rewriting = Partial<Readonly<Record<RewrittenPart, Change>>>;
interface PlainTarget<K> {
  readonly kind: K;
}
interface CallTarget<K> {
  readonly kind: K;
  readonly chain: string;
}
interface Destinations {
  readonly address?: AddressSpan;
  readonly port?: PortSpan;
  /** Each is drawn anew; of ports that is so anyway, and it is kept as it was written. */
  readonly random?: true;
  /** The same caller gets the same. */
  readonly persistent?: true;
}
interface DnatTarget extends Destinations {
  readonly kind: 'dnat';
}
interface DropTarget {
  readonly kind: 'drop';
  readonly audited?: true;
}
interface LogTarget {
  readonly kind: 'log';
  /** What the line of the event begins with; may be empty. */
  readonly prefix: string;
  /** As in syslog(3): 0, the most urgent, to 7. */
  readonly level: number;
  /** Whether the line names the owner. */
  readonly uid: boolean;
}
interface MarkTarget {
  readonly kind: 'mark';
  readonly value: number;
  readonly mask: number;
}
interface NflogTarget {
  readonly kind: 'nflog';
  /** What the event is called; may be empty. */
  readonly prefix: string;
  /** The group of those who read such events, 0 to 65535. */
  readonly group: number;
}
interface RedirectTarget {
  readonly kind: 'redirect';
  readonly port?: PortSpan;
  /** That is so anyway; it is kept as it was written. */
  readonly random?: true;
}
interface RejectTarget {
  readonly kind: 'reject';
  readonly errno: RejectErrno;
  readonly audited?: true;
}
interface Targets {
  readonly accept: PlainTarget<'accept'>;
  readonly drop: DropTarget;
  readonly reject: RejectTarget;
  readonly return: PlainTarget<'return'>;
  readonly log: LogTarget;
  readonly nflog: NflogTarget;
  readonly trace: PlainTarget<'trace'>;
  readonly mark: MarkTarget;
  readonly dnat: DnatTarget;
  readonly redirect: RedirectTarget;
  readonly jump: CallTarget<'jump'>;
  readonly goto: CallTarget<'goto'>;
}
type TargetKind = keyof Targets;
type TargetOf<K extends TargetKind> = {
  readonly [P in K]: {
    readonly kind: P;
  } & Targets[P];
}[K];
type Target = TargetOf<TargetKind>;
declare const POLICIES: {
  readonly ACCEPT: {
    readonly kind: 'accept';
  };
  readonly DROP: {
    readonly kind: 'drop';
  };
  /** DROP, audited. */
  readonly AUDIT: {
    readonly kind: 'drop';
    readonly audited: true;
  };
};
type Policy = keyof typeof POLICIES;
interface Match {
  readonly name: MatchName;
  readonly options: readonly MatchOption[];
}
interface Rule {
  readonly matches: readonly Match[];
  /** Without a target the rule only counts. */
  readonly target: Target | undefined;
  /** What the counter starts at. */
  readonly packets: bigint;
}
interface Chain {
  readonly name: string;
  /** Built-in chains alone have one. */
  readonly policy: Policy | undefined;
  /** What the policy's counter starts at; 0 in user chains. */
  readonly packets: bigint;
  readonly rules: readonly Rule[];
}
/** A name and a network_id, and the control group that has it, if any. */
export interface Group {
  readonly name: string;
  /** 1 to 2^32-1. */
  readonly id: number;
  /** Absolute, below the cgroup2 mount, without a trailing slash; `/` for the root. Can be a pattern. */
  readonly path: string | undefined;
}
/** The built-in chains come first, in their order. */
export interface Table {
  /** Whether sockets whose calls no hook sees can't be made (`--deny-unseen`). */
  readonly denyUnseen: boolean;
  readonly groups: readonly Group[];
  readonly sets: readonly NamedSet[];
  readonly chains: readonly Chain[];
}
interface CounterOwner {
  readonly chain: Chain;
  readonly rule: Rule | undefined;
  /** The rule's number in its chain, from 1; one past the last for the policy. */
  readonly number: number;
}
declare const WORDS: readonly [
  'chain',
  'group',
  'proto',
  'family',
  'local',
  'remote',
  'local-port',
  'remote-port',
  'src',
  'dst',
  'sport',
  'dport',
  'uid',
  'gid',
  'mark',
];
type CallKey = (typeof WORDS)[number] | Detail;
interface Source {
  /** File name, or `command line`. */
  readonly name: string;
  readonly text: string;
}
/** A piece of one line. Lines and columns count from 1, columns and lengths in UTF-16 units. */
export interface Span {
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}
type DiagnosticCode =
  | 'ambiguous-option'
  | 'bad-argument'
  | 'bad-chain'
  | 'bad-command'
  | 'bad-line'
  | 'bad-target'
  | 'bad-value'
  | 'duplicate'
  | 'exclusive'
  | 'missing'
  | 'mixed-families'
  | 'negation'
  | 'not-in-chain'
  | 'unknown-name'
  | 'unknown-option'
  | 'unsupported'
  | 'does-not-fit';
type ExitClass = 1 | 2;
export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** Lower case, no full stop, the user's text in backquotes. */
  readonly message: string;
  readonly span: Span;
  readonly exit: ExitClass;
  readonly help?: string | undefined;
  readonly notes?: readonly string[] | undefined;
}
declare const EXIT: {
  readonly ok: 0;
  /** What was asked does not fit the table; or there are findings, failed expectations, a difference. */
  readonly unfit: 1;
  /** It can't be parsed, or is forbidden: words, and files that are not there or can't be read. */
  readonly usage: 2;
  /** A bug of the tool. */
  readonly bug: 3;
  /** The lock, a limit, or something of the kernel. */
  readonly resource: 4;
};
type ExitCode = (typeof EXIT)[keyof typeof EXIT];
interface DrawnWay {
  readonly rewriting: Rewriting;
  readonly draws: Test;
  readonly number: number;
  /** Whether it is the last of its rule: what goes no other way goes this one. */
  readonly isLast: boolean;
}
interface Limits {
  /** Edges in one node pool while building, garbage included; an edge takes 6 bytes. */
  readonly poolEdges: number;
  /** Edges in the pool from which on rules are put into layers, if they can be; as many more for each 10,000 rules. */
  readonly layerEdges: number;
  /** Edges of the finished diagram. */
  readonly edges: number;
  /** Edges looked at while building: the bound on time. */
  readonly steps: number;
  /** Counters in the lists of all terminals together. */
  readonly counted: number;
  /** Opaque tests that one call is asked, one after the other. Who goes along them calls itself for each. */
  readonly asked: number;
  /** Diagrams that only count, beside the one of the verdicts. */
  readonly countingDiagrams: number;
  /** Ways in which calls can be rewritten, at all places of the chains together. */
  readonly rewritings: number;
  /** Rules of a chain in layers, each once for each call of its chain. */
  readonly entries: number;
  /** Boxes to describe a set of packets with. */
  readonly boxes: number;
}
declare class Row {
  #private;
  starts: Uint16Array;
  targets: Int32Array;
  length: number;
  /** Values from `start` on lead to the target. Starts must come in ascending order, 0 first. */
  push(start: number, target: Ref): void;
}
type Ref = number;
interface DiagramSize {
  readonly nodes: number;
  readonly edges: number;
}
declare class DiagramStore {
  #private;
  constructor(limits: Pick<Limits, 'poolEdges' | 'steps' | 'asked'>);
  /** Nodes in the pool, whether or not anything still leads to them. */
  get nodeCount(): number;
  get edgeCount(): number;
  /** Edges looked at so far. */
  get steps(): number;
  /** The piece that the node asks; for a terminal a number above all. */
  pieceOf(ref: Ref): number;
  /** The node's edges have the numbers from `firstEdge(node)` up to, without, `endEdge(node)`. */
  firstEdge(node: Ref): number;
  endEdge(node: Ref): number;
  /** The first value of the edge's interval. */
  edgeStart(edge: number): number;
  edgeTarget(edge: number): Ref;
  /** Where the node leads for a value of its piece. */
  follow(node: Ref, value: number): Ref;
  /** The edge whose interval has the value, of those from `first`, that begins no later, up to `end`. */
  edgeAt(first: number, end: number, value: number): number;
  /** The terminal to which values of the pieces lead. */
  walk(root: Ref, values: Uint16Array): Ref;
  /** What is done may cost so much more than has been spent, and no more than the store's own limits. */
  within<T>(more: Pick<Limits, 'poolEdges' | 'steps'>, work: () => T): T;
  /** Counts edges looked at against the limit of steps. */
  spend(steps: number): void;
  /** The row in which to put a node of the piece together, emptied. There is one for each piece. */
  row(piece: number): Row;
  /** The node that the row of the piece describes; its only target if it has one alone. */
  intern(piece: number): Ref;
  /** Every node and terminal that the diagram leads to. */
  reachable(diagram: Ref): ReadonlySet<Ref>;
  /** The reachable nodes and edges. */
  size(roots: readonly Ref[]): DiagramSize;
  /**
   * Copies what is reachable from the roots of a store, perhaps this one, with its terminals replaced;
   * the copy holds no garbage. Numbers it depth first, targets before their node.
   */
  copy(from: DiagramStore, roots: readonly Ref[], replace: (terminal: Ref) => Ref): readonly Ref[];
  /** As copy(), of what is reachable from one root. */
  copyOne(from: DiagramStore, root: Ref, replace: (terminal: Ref) => Ref): Ref;
}
type Operation = (a: Ref, b: Ref) => Ref;
interface Interval {
  readonly piece: number;
  readonly from: number;
  /** PAST_VALUES behind the last. */
  readonly end: number;
}
declare const EMPTY = 'empty';
type IntervalPath = readonly Interval[] | typeof EMPTY;
type Link = number;
declare class IntervalPaths {
  #private;
  /** Runs what needs the paths that it adds no longer than it runs. */
  during<T>(work: () => T): T;
  /** The first link of the path to the terminal, or that itself where all packets take it. */
  add(path: IntervalPath, hit: Ref): Ref | Link;
  /** The same of the rule's path; undefined if that is not told without sets. */
  addPlain(rule: Rule, hit: Ref): Ref | Link | undefined;
  pieceOf(link: Link): number;
  from(link: Link): number;
  end(link: Link): number;
  /** What is behind the interval. */
  behind(link: Link): Ref | Link;
  /** What is left of the path where the piece, if it asks that first, has the value. */
  follow(link: Link, piece: number, value: number): Ref | Link;
  /** The diagram that a path is, from the link on, over a terminal; of a reference that over the terminal. */
  made(ref: Ref | Link, store: DiagramStore, below?: Ref, overlay?: Operation): Ref;
}
declare class PreparedConditions {
  #private;
  /** Takes up the scope in which rules are asked for. */
  enter({ groups, sets }: Scope): void;
  /** The rule's condition with the terminal or what is asked behind all pieces of packets; undefined if it is not known yet. */
  make(rule: Rule, store: DiagramStore, hit: Ref): Ref | undefined;
  /** Keeps a condition that has been made, as a diagram with one terminal beside NONE. */
  keep(rule: Rule, store: DiagramStore, diagram: Ref): void;
}
interface AskedRule {
  readonly rule: Rule;
  readonly as?: Rewriting;
  /** What calls draw that it is for. */
  readonly way?: Pick<DrawnWay, 'draws'>;
}
declare class ConditionCompiler {
  #private;
  /** Where the links are that it gives out. */
  readonly paths: IntervalPaths;
  /** @param prepared what is known of rules already, from other stores too */
  constructor(
    store: DiagramStore,
    operations: {
      overlay: Operation;
      guard: Operation;
    },
    prepared?: PreparedConditions,
  );
  /** The diagram that is `hit` where the rule's fields and all else hold that its packet answers, else NONE. */
  compileRule(asked: AskedRule, table: Table, hit: Ref): Ref;
  /** The diagram that is `hit` where the rule's fields hold, else NONE. */
  compileFields({ rule, as, way }: AskedRule, table: Table, hit: Ref): Ref;
  /** As compileRule() of a terminal, but a path that is not made yet: its first link. Undefined if the rule is no path. */
  rulePath(asked: AskedRule, table: Table, hit: Ref): Ref | Link | undefined;
  /** The same of compileFields(). */
  fieldsPath({ rule, as, way }: AskedRule, table: Table, hit: Ref): Ref | Link | undefined;
  /** The diagram that is the terminal `hit` where all the clauses hold, else NONE. */
  compile(clauses: readonly Clause[], hit: Ref): Ref;
}
interface OverlayRules {
  /** What two diagrams come to, the first in front; NONE leaves the other as it is. */
  readonly pair: Operation;
  /** Whether nothing behind the terminal, which is not NONE, can change it. */
  readonly isOver: (terminal: Ref) => boolean;
  /** Runs what is done with the parts from one to the other, by their places. */
  readonly during?: (<T>(from: number, to: number, work: () => T) => T) | undefined;
  /** Where those parts lie that are links. */
  readonly paths?: IntervalPaths;
  /** The terminal that lies below all of them, NONE if left out: so nothing is made without it first. */
  readonly below?: Ref;
}
declare class FreePieces {
  #private;
  /** False while no table had an opaque test, or several destinations for a call. */
  get hasAny(): boolean;
  /** A table chooses. */
  draw(): void;
  /** The piece of each test of the table, by its number. */
  of(table: Table): readonly number[];
}
declare class RewritingNumbers {
  #private;
  /** Equal for rewritings that make the same of every packet; 0 for none. */
  numberOf(rewriting: Rewriting): number;
  at(number: number): Rewriting;
}
declare class SetStore {
  readonly limits: Limits;
  /** The packets that can happen. */
  readonly possible: Ref;
  readonly diagrams: DiagramStore;
  readonly union: Operation;
  readonly intersect: Operation;
  readonly subtract: Operation;
  /** The second diagram where the first, a set, holds; else OUT. */
  readonly guard: Operation;
  /** The first diagram where it is not OUT, else the second. */
  readonly overlay: Operation;
  /** What rules mean, taken apart once for its own diagrams and those of the tables that it loads. */
  readonly prepared: PreparedConditions;
  readonly conditions: ConditionCompiler;
  /** How its tables rewrite packets. */
  readonly rewritings: RewritingNumbers;
  /** The opaque tests of all its tables, as variables. */
  readonly freePieces: FreePieces;
  constructor(limits: Limits, possible: (store: SetStore) => Ref);
  /** All packets of a built-in chain, possible or not. */
  chain(name: string): Ref;
  /** The first of many diagrams that is not OUT; or what another operation makes of them, and its end is said by `isOver`. */
  overlayAll(
    parts: readonly (Ref | Link)[],
    pair?: Operation,
    isOver?: (terminal: Ref) => boolean,
    more?: Pick<OverlayRules, 'during' | 'below'>,
  ): Ref;
  /** The diagram with its terminals replaced. */
  replace(diagram: Ref, change: (terminal: Ref) => Ref): Ref;
  /** The set of packets that the diagram leads to such terminals. */
  select(diagram: Ref, wanted: (terminal: Ref) => boolean): Ref;
  /** The marks of the terminals that the diagram leads to. */
  marks(diagram: Ref): ReadonlySet<number>;
  /** The marks of the terminals to which the diagram leads packets of the set. */
  marksWithin(set: Ref, diagram: Ref): ReadonlySet<number>;
  /** Whether the diagram leads some packet of the set to a terminal of another mark. */
  marksOthers(set: Ref, diagram: Ref, mark: number): boolean;
  /** Makes the pieces free for which `forgotten` is true: some value of theirs would be in the set. */
  forget(set: Ref, forgotten: (piece: number) => boolean): Ref;
}
interface PacketSet {
  readonly kind: 'packets';
  readonly store: SetStore;
  readonly ref: Ref;
}
declare const SEVERITIES: readonly ['info', 'warning', 'error'];
type Severity = (typeof SEVERITIES)[number];
declare const CATALOGUE: {
  readonly SF000: {
    readonly severity: 'error';
    readonly title: 'unreadable';
    readonly explanation: 'The text cannot be parsed or does not fit the table, so nothing else can be said.';
  };
  readonly SF001: {
    readonly severity: 'error';
    readonly title: 'shadowed rule';
    readonly explanation: 'Earlier rules take every call that this rule matches, and at least one of them ends otherwise than this rule says. The rule never has an effect, and what it says is not so.';
  };
  readonly SF002: {
    readonly severity: 'warning';
    readonly title: 'redundant rule';
    readonly explanation: 'Earlier rules take every call that this rule matches, and each of them ends as it would by this rule. The rule never has an effect.';
  };
  readonly SF003: {
    readonly severity: 'error';
    readonly title: 'impossible rule';
    readonly explanation: 'No call that can happen in the chains that reach this rule matches it: its options exclude each other, or the chain, its protocol or its callers exclude them.';
  };
  readonly SF004: {
    readonly severity: 'info';
    readonly title: 'removable rule';
    readonly explanation: 'Calls meet this rule, but without it each of them would get the same verdict from a later rule or the policy. It may be there for its counter.';
  };
  readonly SF005: {
    readonly severity: 'warning';
    readonly title: 'unused chain';
    readonly explanation: 'No call reaches this user chain: nothing jumps to it, or only what is never met.';
  };
  readonly SF006: {
    readonly severity: 'warning';
    readonly title: 'undeclared id';
    readonly explanation: 'A rule names a network_id that no `-G` line of the file declares. It means something only on a host that gives the id to a group.';
  };
  readonly SF007: {
    readonly severity: 'error';
    readonly title: 'negations that always hold';
    readonly explanation: 'Two rules with one target and a negation each: what the one leaves out the other takes in, so together they match everything. `! -d A` and `! -d B` say "not both", which is always true; "neither" needs one rule that has both, or a chain that returns for each.';
  };
  readonly SF008: {
    readonly severity: 'warning';
    readonly title: 'negation without effect';
    readonly explanation: 'Where this rule stands, no call has what the negation excludes.';
  };
  readonly SF009: {
    readonly severity: 'warning';
    readonly title: 'wider than it looks';
    readonly explanation: 'The address has bits that its prefix length cuts off, so the rule matches the whole network around it.';
  };
  readonly SF010: {
    readonly severity: 'warning';
    readonly title: 'wildcard left open';
    readonly explanation: 'A bind to the address is refused, but a bind to 0.0.0.0 or :: on the same port is not, and that serves the address as well.';
  };
  readonly SF012: {
    readonly severity: 'error';
    readonly title: 'kernel too old';
    readonly explanation: 'The kernel version given with `--kernel` cannot enforce what the file says.';
  };
  readonly SF013: {
    readonly severity: 'info';
    readonly title: 'chain refuses nothing';
    readonly explanation: 'No call of this built-in chain is refused.';
  };
  readonly SF014: {
    readonly severity: 'info';
    readonly title: 'ignore without effect';
    readonly explanation: 'A `# sockfilter: ignore[...]` comment silences nothing: the finding is gone, or the code is another.';
  };
  readonly SF015: {
    readonly severity: 'warning';
    readonly title: 'port 0 without its ports';
    readonly explanation: 'A bind to port 0 asks the kernel to choose, and BIND judges what it chose with its number: `--dport 0` grants the asking, and the ports need a rule of their own. Where they are refused, the bind fails with the refusal. The kernel chooses from the sysctl net.ipv4.ip_local_port_range, 32768 to 60999 unless set otherwise, and never one of net.ipv4.ip_local_reserved_ports.';
  };
  readonly SF016: {
    readonly severity: 'warning';
    readonly title: 'ignore that does not count';
    readonly explanation: 'A comment that is to silence a finding cannot be understood, names a code that there is not, has passed its last day, or does not say why though `--require-reason` asks for it. It silences nothing.';
  };
  readonly SF017: {
    readonly severity: 'warning';
    readonly title: 'had by another call';
    readonly explanation: 'What this chain refuses is had by a call of another chain that is accepted, for the same caller: a datagram goes to a peer from a socket that is connected to it or from one that is not, and CONNECT judges the one, SENDTO the other.';
  };
  readonly SF018: {
    readonly severity: 'info';
    readonly title: 'had by another call, perhaps meant';
    readonly explanation: 'What this chain refuses is had in another way that is often meant: a connected socket receives from its peer, whatever RECVFROM says; a datagram can name as its source an address that BIND refuses; a rule of one of CONNECT and SENDTO gives what the policy of the other withholds.';
  };
  readonly SF019: {
    readonly severity: 'warning';
    readonly title: 'udplite behind CONNECT';
    readonly explanation: 'The rule asks for UDP-Lite in a chain that CONNECT leads to. No hook of the kernel sees connect(2) of UDP-Lite, nor the sends of a socket that is connected, so that the rule never matches there. `--deny-unseen` refuses such sockets altogether.';
  };
  readonly SF020: {
    readonly severity: 'warning';
    readonly title: 'path that hardly exists';
    readonly explanation: 'A path of a group or rule is not what systemd or the kernel calls a control group: it begins with a mount point, a shell or quotes changed its backslashes, or a unit lies elsewhere. Where no control group has the path, what names it never holds.';
  };
  readonly SF021: {
    readonly severity: 'info';
    readonly once: true;
    readonly title: 'open to unseen sockets';
    readonly explanation: 'CONNECT and SENDTO refuse by policy, and SCTP, DCCP and UDP-Lite sockets, whose calls no hook sees, can reach what they refuse. `--deny-unseen`, a line of the file, refuses to make such sockets; it takes raw sockets from those who need them too. A line `--deny-unseen off` says that they may be made. Of several files the first is told.';
  };
  readonly SF022: {
    readonly severity: 'warning';
    readonly title: 'audited, not refused';
    readonly explanation: 'The rule or policy has `--audit`: calls pass that it would refuse, and an event says so to those who read (`sockfilter monitor --audited`). Audited is right while a policy is tried, and no policy.';
  };
  readonly SF023: {
    readonly severity: 'warning';
    readonly title: 'told apart by what the caller chooses';
    readonly explanation: 'Calls are refused for a detail alone that the caller chooses: the name of its thread (`-m comm`), or a device that its socket need not name (`-o`, and `-i` in BIND). With another name, or on a socket bound to no device, the same call passes.';
  };
  readonly SF024: {
    readonly severity: 'info';
    readonly title: 'buckets of several groups';
    readonly explanation: 'Calls of several groups share the buckets of a `-m hashlimit` whose addresses or ports the caller chooses. One group can take the tokens of the others, or all the room there is, and then what is new is above the rate. With `group` in `--hashlimit-mode` each group has its own.';
  };
  readonly SF100: {
    readonly severity: 'error';
    readonly title: 'failed case';
    readonly explanation: 'A call got another verdict than the expectation says.';
  };
  readonly SF101: {
    readonly severity: 'error';
    readonly title: 'failed invariant';
    readonly explanation: 'There are calls for which the invariant does not hold.';
  };
  readonly SF102: {
    readonly severity: 'error';
    readonly title: 'nothing is expected';
    readonly explanation: 'There is no expectation, or one about no call at all, so that it would hold whatever the rules say.';
  };
  readonly SF103: {
    readonly severity: 'error';
    readonly title: 'bad expectation';
    readonly explanation: 'The file of expectations cannot be understood.';
  };
  readonly SF200: {
    readonly severity: 'error';
    readonly title: 'newly accepted';
    readonly explanation: 'Calls that were refused are accepted.';
  };
  readonly SF201: {
    readonly severity: 'error';
    readonly title: 'newly refused';
    readonly explanation: 'Calls that were accepted are refused.';
  };
  readonly SF202: {
    readonly severity: 'error';
    readonly title: 'another errno';
    readonly explanation: 'Calls that were refused are refused with another errno.';
  };
  readonly SF203: {
    readonly severity: 'error';
    readonly title: 'change of a group';
    readonly explanation: 'A group came, went, or has another id or path.';
  };
  readonly SF204: {
    readonly severity: 'error';
    readonly title: 'unintended change';
    readonly explanation: 'Calls change that the intended regions do not name.';
  };
  readonly SF205: {
    readonly severity: 'error';
    readonly title: 'missing change';
    readonly explanation: 'Calls do not change though the intended regions name them.';
  };
  readonly SF206: {
    readonly severity: 'error';
    readonly title: 'rule file gone';
    readonly explanation: 'A rule file was deleted, or moved or renamed to where it is not looked for, or ignored, or lost its table. What it refused is accepted where nothing else refuses it.';
  };
  readonly SF207: {
    readonly severity: 'error';
    readonly title: 'new rule file';
    readonly explanation: 'There is no earlier content to compare a rule file with, or none that can be read. What it accepts may be new access.';
  };
  readonly SF208: {
    readonly severity: 'info';
    readonly title: 'other ground rules';
    readonly explanation: 'A change touches expectations or the file that says which rule files are ignored. It may be about to allow itself something.';
  };
  readonly SF211: {
    readonly severity: 'error';
    readonly title: 'another test';
    readonly explanation: 'Calls are accepted or refused as a clock, a state or chance says, in the old rules and in the new ones; but what is asked is not the same. `--no-new-access` takes it for new access, as calls may be accepted now that were refused.';
  };
  readonly SF212: {
    readonly severity: 'error';
    readonly title: 'change of --deny-unseen';
    readonly explanation: 'Sockets whose calls no hook sees, raw, SCTP, DCCP and UDP-Lite, can be made where they could not, or no longer. That they can is new access, whatever the rules say: `--no-new-access` takes it so.';
  };
  readonly SF213: {
    readonly severity: 'error';
    readonly title: 'another destination or mark';
    readonly explanation: 'Calls are accepted by the old rules and by the new ones, but go on to another destination, or with another mark of the socket by which routing and packet filters may treat them otherwise. `--no-new-access` takes it for new access.';
  };
};
type Code = keyof typeof CATALOGUE;
/** A piece of one line of a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}
export interface Note {
  readonly message: string;
  readonly place?: Place | undefined;
}
/** A call that shows what a finding says. */
export interface Witness {
  readonly packet: Packet;
  /** `connect(tcp, 10.0.0.5:80) by group web (3)`. */
  readonly call: string;
  /** The command line that shows how it is decided. */
  readonly command: string;
}
export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  readonly place: Place;
  /** What is so: lower case, no full stop, the user's text in backquotes. */
  readonly message: string;
  readonly notes: readonly Note[];
  readonly witness?: Witness | undefined;
  /** What to do about it. */
  readonly fix?: string | undefined;
}
type RegionKey = CallKey;
interface ChangedSets {
  readonly 'newly accepted': PacketSet;
  readonly 'newly refused': PacketSet;
  readonly 'other errno': PacketSet;
  readonly 'other test': PacketSet;
  readonly 'other rewriting': PacketSet;
}
type ChangeKind = keyof ChangedSets;
type CellValue = 'all' | 'some' | 'none' | 'no call';
export interface MatrixRow {
  readonly label: string;
  /** One for each column: how many of the calls get the verdict. */
  readonly cells: readonly CellValue[];
}
export interface Matrix {
  /** Destinations and ports, in words; together all of the region. */
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
  /** True where there were too many columns and some stand for several. */
  readonly isCoarse: boolean;
}
type Fd = number;
declare const EVENT_KINDS: {
  /** A call was refused. */
  readonly refused: 0;
  /** A rule logs, whatever becomes of the call. */
  readonly log: 1;
  /** A rule or policy has matched a call that is traced. */
  readonly trace: 2;
  /** A rule or policy let a call pass that it would have refused, were it not audited. */
  readonly audit: 3;
  /** A call passed: told only to readers that ask for it. */
  readonly passed: 4;
};
type EventKind = keyof typeof EVENT_KINDS;
interface RawEvent {
  readonly kind: EventKind;
  /** Of a refusal, else 0. */
  readonly errno: number;
  /** Index of the counter of the rule or policy, and the sequence number of its generation. */
  readonly counter: number | undefined;
  readonly sequence: number;
  /** Nanoseconds since the machine started, suspended time included. */
  readonly uptime: bigint;
  /** Undefined for a call that failed before its family was known. */
  readonly packet: Packet | undefined;
  /** The chain of the call. */
  readonly chain: Packet['chain'];
  readonly group: number;
  /** The task that calls; undefined where a stranger runs. */
  readonly task:
    | {
        readonly pid: number;
        readonly tid: number;
        readonly comm: string;
      }
    | undefined;
  /** Of the caller, or of the socket's maker. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly cgroup: bigint;
  readonly netns: bigint;
  readonly socket: bigint;
}
interface Holder {
  readonly pid: number;
  readonly comm: string;
}
interface Resolution {
  /** Nanoseconds since 1970 by UTC. */
  readonly time: bigint;
  /** Whose event it is; undefined where no rule had a say, or its table is gone. */
  readonly owner: CounterOwner | undefined;
  /** That rule or policy as `-S` prints it. */
  readonly text: string | undefined;
  /** Of the table in force at that time. */
  readonly groups: readonly Group[];
  /** Where the cgroup is; undefined once it was removed. */
  readonly cgroup: string | undefined;
  /** Looks for the processes that hold the socket, where no task calls; none where they are not found. */
  readonly holders: () => readonly Holder[];
}
declare function eventJson(
  event: RawEvent,
  resolution: Resolution,
):
  | {
      group: {
        id: number;
        name: string | null;
      };
      cgroup: {
        id: string;
        path: string | null;
      };
      netns: string;
      socket: string;
      gid?: number;
      uid?: number;
      holders?: readonly Holder[];
      pid?: number;
      tid?: number;
      comm?: string;
      call:
        | {
            destination: string;
            source?: never;
            protocol: string;
          }
        | {
            source: string;
            destination: string;
            protocol: string;
          }
        | null;
      rule: {
        chain: string;
        rule: number | null;
        text: string;
        generation: number;
      } | null;
      errno?: number;
      errnoName?: string;
      version: number;
      kind: 'refused' | 'log' | 'trace' | 'audit' | 'passed';
      time: string;
      chain: 'BIND' | 'ACCEPT' | 'CONNECT' | 'SENDTO' | 'RECVFROM';
    }
  | {
      group: {
        id: number;
        name: string | null;
      };
      cgroup: {
        id: string;
        path: string | null;
      };
      netns: string;
      socket: string;
      gid?: number;
      uid?: number;
      holders?: readonly Holder[];
      pid?: number;
      tid?: number;
      comm?: string;
      call:
        | {
            destination: string;
            source?: never;
            protocol: string;
          }
        | {
            source: string;
            destination: string;
            protocol: string;
          }
        | null;
      prefix: string;
      level: number;
      nflogGroup?: never;
      rule: {
        chain: string;
        rule: number | null;
        text: string;
        generation: number;
      } | null;
      errno?: number;
      errnoName?: string;
      version: number;
      kind: 'refused' | 'log' | 'trace' | 'audit' | 'passed';
      time: string;
      chain: 'BIND' | 'ACCEPT' | 'CONNECT' | 'SENDTO' | 'RECVFROM';
    }
  | {
      group: {
        id: number;
        name: string | null;
      };
      cgroup: {
        id: string;
        path: string | null;
      };
      netns: string;
      socket: string;
      gid?: number;
      uid?: number;
      holders?: readonly Holder[];
      pid?: number;
      tid?: number;
      comm?: string;
      call:
        | {
            destination: string;
            source?: never;
            protocol: string;
          }
        | {
            source: string;
            destination: string;
            protocol: string;
          }
        | null;
      prefix: string;
      nflogGroup: number;
      level?: never;
      rule: {
        chain: string;
        rule: number | null;
        text: string;
        generation: number;
      } | null;
      errno?: number;
      errnoName?: string;
      version: number;
      kind: 'refused' | 'log' | 'trace' | 'audit' | 'passed';
      time: string;
      chain: 'BIND' | 'ACCEPT' | 'CONNECT' | 'SENDTO' | 'RECVFROM';
    }
  | {
      group: {
        id: number;
        name: string | null;
      };
      cgroup: {
        id: string;
        path: string | null;
      };
      netns: string;
      socket: string;
      gid?: number;
      uid?: number;
      holders?: readonly Holder[];
      pid?: number;
      tid?: number;
      comm?: string;
      call:
        | {
            destination: string;
            source?: never;
            protocol: string;
          }
        | {
            source: string;
            destination: string;
            protocol: string;
          }
        | null;
      prefix?: never;
      level?: never;
      nflogGroup?: never;
      rule: {
        chain: string;
        rule: number | null;
        text: string;
        generation: number;
      } | null;
      errno?: number;
      errnoName?: string;
      version: number;
      kind: 'refused' | 'log' | 'trace' | 'audit' | 'passed';
      time: string;
      chain: 'BIND' | 'ACCEPT' | 'CONNECT' | 'SENDTO' | 'RECVFROM';
    };
type Missing = 'lost' | 'skipped';
declare function missingJson(
  kind: Missing,
  count: number,
  at?: number,
): {
  version: number;
  kind: Missing;
  time: string;
  count: number;
};
interface Header {
  readonly format: number;
  readonly sequence: number;
  readonly idSlot: number;
  readonly idEpoch: number;
  readonly programs: number;
  readonly traits: number;
  /** In how many layers the rules of chains are, as encodeLayers() says it. */
  readonly layers: number;
  /** Nodes that there were when all of them were written. */
  readonly writtenNodes: number;
  readonly deadline: bigint;
  readonly counters: number;
  /** Address of the first counter, and how far stripes are apart. */
  readonly firstCounter: number;
  readonly stripeLength: number;
  readonly stripes: number;
  readonly originPage: number;
  readonly basePage: number;
  /** Of what nodes lead to, see summary.ts; 0 where that is not kept. */
  readonly summaryPage: number;
  readonly textPage: number;
  readonly textBytes: number;
  readonly nodes: number;
  readonly rules: number;
  readonly tests: number;
  readonly slotPage: number;
  readonly sets: number;
  readonly entries: Readonly<Record<BuiltinChain, number>>;
}
interface LaterProgram {
  /** The name of the hook. */
  readonly hook: string;
  readonly programId: number;
  /** The name that it was loaded with; empty if it has none. */
  readonly name: string;
}
interface LoadedGeneration {
  readonly fd: Fd;
  readonly header: Header;
}
interface InForceInstance {
  readonly state: 'inForce';
  readonly generation: LoadedGeneration;
  /** The one before, whose counts have not been folded in yet: a commit was interrupted. */
  readonly before: LoadedGeneration | undefined;
  /** The pin of the one before was taken away, and its counts with it. */
  readonly isCountLost: boolean;
  /** Whose programs walk it: an older release's, those of both while an upgrade is under way, or ours. */
  readonly release: 'own' | 'older' | 'both';
  readonly trial: Trial | undefined;
}
type Trial =
  /** It is in force; `other` is what to go back to. */
  | {
      readonly state: 'pending';
      readonly other: LoadedGeneration;
      readonly deadline: bigint;
    }
  /** Its deadline has passed: what is in force is the one before, and `other` is the one that was tried. */
  | {
      readonly state: 'undone';
      readonly other: LoadedGeneration;
    };
interface HookStatus {
  readonly name: string;
  readonly chains: readonly string[];
  /** Whether the table can't do without it. */
  readonly needed: boolean;
  readonly attached: boolean;
  readonly programId: number | undefined;
}
interface Entries {
  /** Registered paths, and control groups that have an entry. */
  readonly paths: number;
  readonly cgroups: number;
  /** Removed control groups that sockets, or the kernel itself, still hold. */
  readonly removed: number;
  /** Control groups that can have an entry. */
  readonly cgroupCapacity: number;
  /** What is bounded, how much of it is used, and how much there can be. */
  readonly limits: readonly Limit[];
}
interface Limit {
  readonly resource: string;
  readonly used: number;
  readonly most: number;
}
export interface Status extends Partial<Entries> {
  readonly root: string;
  /** The folder of pins. */
  readonly pins: string;
  /** Number of commits so far. */
  readonly sequence: number;
  /** When the last one was, in milliseconds since 1970; undefined if its pin is gone. */
  readonly committed: number | undefined;
  readonly rules: number;
  /** Whether sockets whose calls no hook sees can't be made. */
  readonly denyUnseen: boolean;
  readonly nodes: number;
  /** In how many layers the rules of chains are that would be too much as one diagram: so many walks a call makes. */
  readonly layers: Partial<Readonly<Record<BuiltinChain, number>>>;
  /** Bytes of kernel memory that the generation takes. */
  readonly bytes: number;
  /** And those of the map that the next one may be written to; 0 where there is none. */
  readonly spareBytes: number;
  /** The format of what is in force, and whose programs walk it: this release's, an older one's, or both. */
  readonly format: number;
  readonly release: InForceInstance['release'];
  /** Seconds until it is undone unless it is confirmed. */
  readonly trialSeconds: number | undefined;
  readonly hooks: readonly HookStatus[];
  /**
   * What accept(2) does at a listener that no peer may reach: it fails, or waits where this kernel takes no program
   * of BPF LSM; undefined where ACCEPT refuses nothing.
   */
  readonly closedListeners: 'fail' | 'wait' | undefined;
  /** Programs of others that can allow what ours have refused. */
  readonly later: readonly LaterProgram[];
}
/** The call as the command line has it; what is missing is unspecified, or 0. */
interface PacketWords extends Partial<Readonly<Record<Detail, string | undefined>>> {
  readonly chain: string;
  readonly group?: string | undefined;
  readonly proto?: string | undefined;
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  readonly mark?: string | undefined;
}
/** A rule, or a policy. */
export interface Decider {
  readonly chain: string;
  /** Its number; null for the policy. */
  readonly rule: number | null;
  /** As `-S` prints it. */
  readonly text: string;
}
/** What becomes of a call. */
export interface OutcomeAnswer {
  readonly verdict: 'allowed' | 'refused';
  readonly errno?: number;
  /** `EPERM`. */
  readonly errnoName?: string;
  readonly decider: Decider;
  /** What rules have made the socket's mark, if they have: `0x1`. */
  readonly mark?: string;
  /** What it would be refused with, if it were not audited. */
  readonly audited?: {
    readonly errno: number;
    readonly errnoName: string;
  };
  /** The rules that count it. */
  readonly counted: readonly Decider[];
}
/** What becomes of it where rules have said so. */
export interface WayAnswer extends OutcomeAnswer {
  /** Of a rule with several destinations `gives` says which: `10.0.0.5-10.0.0.6:80`. */
  readonly said: readonly (Decider & {
    readonly gives?: string;
    readonly holds: boolean;
  })[];
}
/** What `explain --json` prints of a call: one outcome, or several where rules ask a clock, a state or chance. */
export type Explanation = (
  | OutcomeAnswer
  | {
      readonly verdict: 'undecided';
      readonly ways: readonly WayAnswer[];
    }
) & {
  /** False where no table is in force, and every call is allowed. */
  readonly installed: boolean;
  /** The table lets nobody make such a socket. */
  readonly denied?: boolean;
  /** The call as it was understood. */
  readonly call: Readonly<Record<string, string | number>>;
};
/** The command can't do what was asked. */
declare class CommandError extends Error {
  readonly name = 'CommandError';
  readonly exit: ExitCode;
  readonly help: string | undefined;
  constructor(message: string, exit: ExitCode, help?: string);
}
/** A text has mistakes; all of them are told. */
export declare class DiagnosticsError extends Error {
  readonly name = 'DiagnosticsError';
  readonly diagnostics: readonly Diagnostic[];
  readonly source: Source;
  constructor(diagnostics: readonly Diagnostic[], source: Source);
}
/** A rule file that was read, in the syntax of iptables-save or in JSON. */
export interface Rules {
  /** What places name it by. */
  readonly name: string;
  readonly text: string;
  /** Without what has mistakes, where `diagnostics` has any. */
  readonly table: Table;
  /** Every mistake; empty if the rules can be put in force. */
  readonly diagnostics: readonly Diagnostic[];
}
export interface ParseOptions {
  /** What places name the text by; `rules` if left out. */
  readonly name?: string;
}
/** Reads rules. It never throws: every mistake is a diagnostic, with its place and, where there is one, a way out. */
export declare function parseRules(text: string, { name }?: ParseOptions): Rules;
/**
 * A set of calls: for each key the values of which one must hold, and with `!` those that must not. What it does not
 * name may be anything. The keys and values are those of `sockfilter query`.
 */
export type Region = Readonly<Partial<Record<RegionKey, string | readonly string[]>>>;
/** What is taken to hold of the moment at which calls come, for rules that ask more than the call says. */
export type Moment = Circumstances;
export interface CheckOptions {
  /** The oldest kernel that must be able to enforce the rules: `6.1`. */
  readonly kernel?: string;
}
/**
 * What `sockfilter check` finds: mistakes, rules that never matter, doors that were left open. Throws SockfilterError
 * for a kernel that is none, and an error named LimitError where the answer would cost too much.
 */
export declare function check(rules: Rules, { kernel }?: CheckOptions): readonly Finding[];
/** Calls that a change gives another verdict. */
export interface ChangedRegion {
  readonly kind: ChangeKind;
  readonly region: Region;
  /** The region in words. */
  readonly text: string;
  /** One call of it. */
  readonly witness: Witness;
}
export interface Difference {
  /** No call gets another verdict, and every group keeps its id and path. */
  readonly isSame: boolean;
  /** All of the change, and nothing twice. */
  readonly regions: readonly ChangedRegion[];
  /** Kinds of change with more regions than can be listed. */
  readonly unlisted: readonly ChangeKind[];
  /** Groups that came, went or have another id or path, in words. */
  readonly groups: readonly string[];
  /** Rules that came, went or changed, a line for each chain. */
  readonly rules: readonly string[];
}
/** What a change of the rules means for calls. Throws DiagnosticsError, and an error named LimitError. */
export declare function diff(before: Rules, after: Rules): Difference;
/** Calls of a region that get the verdict. */
export interface AnsweredRegion {
  readonly region: Region;
  /** The region in words. */
  readonly text: string;
  /** What its calls go on with, if rules change them: `mark 0x1`. */
  readonly becomes?: string;
  /** One call of it. */
  readonly witness: Witness;
}
export interface Answer {
  /** All calls of the region that get the verdict, and nothing twice; empty where there are too many regions to list. */
  readonly regions: readonly AnsweredRegion[];
  readonly tooMany: boolean;
  /** The same as a table: groups by destinations. */
  readonly matrix: Matrix;
}
/**
 * Which calls of a region are accepted or refused. Throws DiagnosticsError, an error named RegionError for a region
 * that can't be understood, and one named LimitError.
 */
export declare function query(
  rules: Rules,
  verdict: 'accept' | 'refuse',
  region?: Region,
  moment?: Moment,
): Answer;
/** What becomes of one call, and which rule decides. Throws DiagnosticsError and SockfilterError. */
export declare function explain(rules: Rules, call: PacketWords, moment?: Moment): Explanation;
/** What `monitor --json` prints: a call that was refused, audited, logged or passed; or how many events were lost. */
export type SocketEvent = ReturnType<typeof eventJson> | ReturnType<typeof missingJson>;
export interface EventsOptions {
  /** Calls that pass are events too; each costs the caller more. */
  readonly passed?: boolean;
  /** Ends the events. */
  readonly signal?: AbortSignal;
}
export interface OpenOptions {
  /** Seconds to wait for others who work on the same table: 0, which is the default, not at all. */
  readonly wait?: number;
  /** Hears what a person should know beside the outcome. */
  readonly tell?: (text: string) => void;
}
export interface CommitOptions {
  /** What the revision is called in `status` and `history`. */
  readonly label?: string;
  /** Seconds after which the table before is back unless `confirm` is called; the kernel counts them. */
  readonly confirmWithin?: number;
  /** Rules that say what they said go on counting; without it all begin at 0, as after `restore`. */
  readonly keepCounters?: boolean;
}
/** What a rule or policy has counted. */
export interface Counter {
  readonly chain: string;
  /** The rule's number; null for the policy. */
  readonly rule: number | null;
  /** As `-S` prints it. */
  readonly text: string;
  /** Calls. */
  readonly packets: bigint;
}
/**
 * The table in force on one control group. Each method works as the command does: it takes the lock, does all of
 * its work or nothing, and lets go. Beside what they say, methods throw SockfilterError, and errors named LockedError,
 * UnsupportedError, CapacityError, DamageError, TrialError and BpfError; nothing has changed then.
 */
export interface Sockfilter {
  /** The control group, by its path below the cgroup2 mount. */
  readonly root: string;
  /** The rules in force; undefined where nothing is installed. */
  rules(): Rules | undefined;
  /** What the rules and policies in force have counted, chain by chain. */
  counters(): readonly Counter[];
  /** Puts rules in force, all at once, in the place of what is there. Throws DiagnosticsError and TableError. */
  commit(rules: Rules, options?: CommitOptions): void;
  /** Keeps the rules that are on trial. */
  confirm(): void;
  /** Puts the rules before back; gives what they were, in words. */
  undo(): string;
  /** What is attached, and how big it is; undefined where nothing is installed. */
  status(): Status | undefined;
  /** What would become of a call. */
  explain(call: PacketWords, moment?: Moment): Explanation;
  /** Events from now on, through commits and new installs, until the loop or the signal ends them. */
  events(options?: EventsOptions): AsyncGenerator<SocketEvent, void, undefined>;
  /** Takes down all that is installed: every call is allowed from then on. */
  teardown(): void;
}
/**
 * The table in force on a control group, by its path below the cgroup2 mount: `/` is all of the machine. Nothing is
 * touched before a method is called. Throws SockfilterError where the path is none.
 */
export declare function open(root: string, options?: OpenOptions): Sockfilter;

export { CommandError as SockfilterError, PacketWords as Call };

export {};
