/**
 * Every code that a finding can have. Codes are stable: a retired one is never given to something
 * else. SF001 to SF099 are about rules, SF1xx about expectations, SF2xx about changes.
 */
import type { Severity } from './severity.js';

export interface CatalogueRow {
  readonly severity: Severity;
  readonly title: string;
  readonly explanation: string;
  /** Of all files that are checked together the first alone is told. */
  readonly once?: true;
}

export const CATALOGUE = {
  SF000: {
    severity: 'error',
    title: 'unreadable',
    explanation:
      'The text cannot be parsed or does not fit the table, so nothing else can be said.',
  },
  SF001: {
    severity: 'error',
    title: 'shadowed rule',
    explanation:
      'Earlier rules take every call that this rule matches, and at least one of them ends otherwise than this rule says. The rule never has an effect, and what it says is not so.',
  },
  SF002: {
    severity: 'warning',
    title: 'redundant rule',
    explanation:
      'Earlier rules take every call that this rule matches, and each of them ends as it would by this rule. The rule never has an effect.',
  },
  SF003: {
    severity: 'error',
    title: 'impossible rule',
    explanation:
      'No call that can happen in the chains that reach this rule matches it: its options exclude each other, or the chain, its protocol or its callers exclude them.',
  },
  SF004: {
    severity: 'info',
    title: 'removable rule',
    explanation:
      'Calls meet this rule, but without it each of them would get the same verdict from a later rule or the policy. It may be there for its counter.',
  },
  SF005: {
    severity: 'warning',
    title: 'unused chain',
    explanation: 'No call reaches this user chain: nothing jumps to it, or only what is never met.',
  },
  SF006: {
    severity: 'warning',
    title: 'undeclared id',
    explanation:
      'A rule names a network_id that no `-G` line of the file declares. It means something only on a host that gives the id to a group.',
  },
  SF007: {
    severity: 'error',
    title: 'negations that always hold',
    explanation:
      'Two rules with one target and a negation each: what the one leaves out the other takes in, so together they match everything. `! -d A` and `! -d B` say "not both", which is always true; "neither" needs one rule that has both, or a chain that returns for each.',
  },
  SF008: {
    severity: 'warning',
    title: 'negation without effect',
    explanation: 'Where this rule stands, no call has what the negation excludes.',
  },
  SF009: {
    severity: 'warning',
    title: 'wider than it looks',
    explanation:
      'The address has bits that its prefix length cuts off, so the rule matches the whole network around it.',
  },
  SF010: {
    severity: 'warning',
    title: 'wildcard left open',
    explanation:
      'A bind to the address is refused, but a bind to 0.0.0.0 or :: on the same port is not, and that serves the address as well.',
  },
  // SF011, of ports that listen(2) without bind(2) takes, is retired: BIND judges them.
  SF012: {
    severity: 'error',
    title: 'kernel too old',
    explanation: 'The kernel version given with `--kernel` cannot enforce what the file says.',
  },
  SF013: {
    severity: 'info',
    title: 'chain refuses nothing',
    explanation: 'No call of this built-in chain is refused.',
  },
  SF014: {
    severity: 'info',
    title: 'ignore without effect',
    explanation:
      'A `# sockfilter: ignore[...]` comment silences nothing: the finding is gone, or the code is another.',
  },
  SF015: {
    severity: 'warning',
    title: 'port 0 without its ports',
    explanation:
      'A bind to port 0 asks the kernel to choose, and BIND judges what it chose with its number: `--dport 0` grants the asking, and the ports need a rule of their own. Where they are refused, the bind fails with the refusal. The kernel chooses from the sysctl net.ipv4.ip_local_port_range, 32768 to 60999 unless set otherwise, and never one of net.ipv4.ip_local_reserved_ports.',
  },
  SF016: {
    severity: 'warning',
    title: 'ignore that does not count',
    explanation:
      'A comment that is to silence a finding cannot be understood, names a code that there is not, has passed its last day, or does not say why though `--require-reason` asks for it. It silences nothing.',
  },
  SF017: {
    severity: 'warning',
    title: 'had by another call',
    explanation:
      'What this chain refuses is had by a call of another chain that is accepted, for the same caller: a datagram goes to a peer from a socket that is connected to it or from one that is not, and CONNECT judges the one, SENDTO the other.',
  },
  SF018: {
    severity: 'info',
    title: 'had by another call, perhaps meant',
    explanation:
      'What this chain refuses is had in another way that is often meant: a connected socket receives from its peer, whatever RECVFROM says; a datagram can name as its source an address that BIND refuses; a rule of one of CONNECT and SENDTO gives what the policy of the other withholds.',
  },
  SF019: {
    severity: 'warning',
    title: 'udplite behind CONNECT',
    explanation:
      'The rule asks for UDP-Lite in a chain that CONNECT leads to. No hook of the kernel sees connect(2) of UDP-Lite, nor the sends of a socket that is connected, so that the rule never matches there. `--deny-unseen` refuses such sockets altogether.',
  },
  SF020: {
    severity: 'warning',
    title: 'path that hardly exists',
    explanation:
      'A path of a group or rule is not what systemd or the kernel calls a control group: it begins with a mount point, a shell or quotes changed its backslashes, or a unit lies elsewhere. Where no control group has the path, what names it never holds.',
  },
  SF021: {
    severity: 'info',
    once: true,
    title: 'open to unseen sockets',
    explanation:
      'CONNECT and SENDTO refuse by policy, and SCTP, DCCP and UDP-Lite sockets, whose calls no hook sees, can reach what they refuse. `--deny-unseen`, a line of the file, refuses to make such sockets; it takes raw sockets from those who need them too. A line `--deny-unseen off` says that they may be made. Of several files the first is told.',
  },
  SF022: {
    severity: 'warning',
    title: 'audited, not refused',
    explanation:
      'The rule or policy has `--audit`: calls pass that it would refuse, and an event says so to those who read (`sockfilter monitor --audited`). Audited is right while a policy is tried, and no policy.',
  },
  SF023: {
    severity: 'warning',
    title: 'told apart by what the caller chooses',
    explanation:
      'Calls are refused for a detail alone that the caller chooses: the name of its thread (`-m comm`), or a device that its socket need not name (`-o`, and `-i` in BIND). With another name, or on a socket bound to no device, the same call passes.',
  },
  SF024: {
    severity: 'info',
    title: 'buckets of several groups',
    explanation:
      'Calls of several groups share the buckets of a `-m hashlimit` whose addresses or ports the caller chooses. One group can take the tokens of the others, or all the room there is, and then what is new is above the rate. With `group` in `--hashlimit-mode` each group has its own.',
  },
  SF100: {
    severity: 'error',
    title: 'failed case',
    explanation: 'A call got another verdict than the expectation says.',
  },
  SF101: {
    severity: 'error',
    title: 'failed invariant',
    explanation: 'There are calls for which the invariant does not hold.',
  },
  SF102: {
    severity: 'error',
    title: 'nothing is expected',
    explanation:
      'There is no expectation, or one about no call at all, so that it would hold whatever the rules say.',
  },
  SF103: {
    severity: 'error',
    title: 'bad expectation',
    explanation: 'The file of expectations cannot be understood.',
  },
  SF200: {
    severity: 'error',
    title: 'newly accepted',
    explanation: 'Calls that were refused are accepted.',
  },
  SF201: {
    severity: 'error',
    title: 'newly refused',
    explanation: 'Calls that were accepted are refused.',
  },
  SF202: {
    severity: 'error',
    title: 'another errno',
    explanation: 'Calls that were refused are refused with another errno.',
  },
  SF203: {
    severity: 'error',
    title: 'change of a group',
    explanation: 'A group came, went, or has another id or path.',
  },
  SF204: {
    severity: 'error',
    title: 'unintended change',
    explanation: 'Calls change that the intended regions do not name.',
  },
  SF205: {
    severity: 'error',
    title: 'missing change',
    explanation: 'Calls do not change though the intended regions name them.',
  },
  SF206: {
    severity: 'error',
    title: 'rule file gone',
    explanation:
      'A rule file was deleted, or moved or renamed to where it is not looked for, or ignored, or lost its table. What it refused is accepted where nothing else refuses it.',
  },
  SF207: {
    severity: 'error',
    title: 'new rule file',
    explanation:
      'There is no earlier content to compare a rule file with, or none that can be read. What it accepts may be new access.',
  },
  SF208: {
    severity: 'info',
    title: 'other ground rules',
    explanation:
      'A change touches expectations or the file that says which rule files are ignored. It may be about to allow itself something.',
  },
  SF211: {
    severity: 'error',
    title: 'another test',
    explanation:
      'Calls are accepted or refused as a clock, a state or chance says, in the old rules and in the new ones; but what is asked is not the same. `--no-new-access` takes it for new access, as calls may be accepted now that were refused.',
  },
  SF212: {
    severity: 'error',
    title: 'change of --deny-unseen',
    explanation:
      'Sockets whose calls no hook sees, raw, SCTP, DCCP and UDP-Lite, can be made where they could not, or no longer. That they can is new access, whatever the rules say: `--no-new-access` takes it so.',
  },
  SF213: {
    severity: 'error',
    title: 'another destination or mark',
    explanation:
      'Calls are accepted by the old rules and by the new ones, but go on to another destination, or with another mark of the socket by which routing and packet filters may treat them otherwise. `--no-new-access` takes it for new access.',
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>;

export type Code = keyof typeof CATALOGUE;

export function isCode(text: string): text is Code {
  return Object.hasOwn(CATALOGUE, text);
}

/** Every code with its row, in order. */
export function catalogueRows(): readonly (CatalogueRow & { readonly code: Code })[] {
  return Object.entries(CATALOGUE).flatMap(([code, row]) =>
    isCode(code) ? [{ code, ...row }] : [],
  );
}
