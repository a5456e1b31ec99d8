/**
 * What each option of a match is in JSON: nft's own expression where nft has one, else an expression
 * `sockfilter`, which nft refuses. A match without a row does not compile.
 */
import {
  describeOption,
  isMatchName,
  MATCHES,
  type MatchName,
  PROTOCOL,
  protocolName,
  type Value,
} from '@sockfilter/table';
import { FORMS, type ValueForm } from './form.js';
import { EXTENSION, type Selector } from './selector.js';

interface TestRow {
  /** All that it can look at: one thing for each family or protocol. */
  readonly selectors: readonly Selector[];
  /** Which of them, for a value in a rule of the protocol. */
  readonly selectorOf: (value: Value, protocol: number | undefined) => Selector;
  /** What is compared with, where the option has no value. */
  readonly constant?: string;
}

/**
 * `comment`: nothing is tested, and the text is the `comment` of the rule. `limit`: one statement says all options of
 * the match, see limit.ts.
 */
export type OptionRow = TestRow | 'comment' | 'limit';

const only = (selector: Selector, constant?: string): TestRow => ({
  selectors: [selector],
  selectorOf: () => selector,
  ...(constant !== undefined && { constant }),
});

/** What nft has no word for. */
const extension = (name: string) => only(`${EXTENSION} ${name}`);

const byFamily = (field: string): TestRow => ({
  selectors: [`ip ${field}`, `ip6 ${field}`],
  selectorOf: (value) => ('family' in value && value.family === 6 ? `ip6 ${field}` : `ip ${field}`),
});

const PORTS = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite].map(protocolName);

/** `th` is the header of whatever protocol it is. */
const byProtocol = (field: string): TestRow => ({
  selectors: [...PORTS, 'th'].map((protocol): Selector => `${protocol} ${field}`),
  selectorOf: (_, protocol) => `${protocol === undefined ? 'th' : protocolName(protocol)} ${field}`,
});

const portsOf = (protocol: string) => ({
  sport: only(`${protocol} sport`),
  dport: only(`${protocol} dport`),
});

export const ROWS: Readonly<Record<MatchName, Readonly<Record<string, OptionRow>>>> = {
  ip: {
    ipv4: only('meta nfproto', 'ipv4'),
    ipv6: only('meta nfproto', 'ipv6'),
    source: byFamily('saddr'),
    destination: byFamily('daddr'),
    'in-interface': extension('input_device'),
    'out-interface': extension('output_device'),
    protocol: only('meta l4proto'),
  },
  tcp: { ...portsOf('tcp'), 'tcp-flags': only('tcp flags') },
  udp: portsOf('udp'),
  udplite: portsOf('udplite'),
  multiport: {
    sports: byProtocol('sport'),
    dports: byProtocol('dport'),
    ports: extension('port'),
  },
  iprange: { 'src-range': byFamily('saddr'), 'dst-range': byFamily('daddr') },
  addrtype: { 'src-type': extension('source_type'), 'dst-type': extension('destination_type') },
  cgroup: { id: extension('network_id'), path: extension('cgroup') },
  owner: { 'uid-owner': only('meta skuid'), 'gid-owner': only('meta skgid') },
  comm: { comm: extension('comm') },
  netns: { inode: extension('netns') },
  comment: { comment: 'comment' },
  socket: {
    local: extension('local_address'),
    'local-port': extension('local_port'),
    remote: extension('remote_address'),
    'remote-port': extension('remote_port'),
  },
  limit: { limit: 'limit', 'limit-burst': 'limit' },
  hashlimit: {
    'hashlimit-upto': extension('hashlimit_upto'),
    'hashlimit-above': extension('hashlimit_above'),
    'hashlimit-burst': extension('hashlimit_burst'),
    'hashlimit-mode': extension('hashlimit_mode'),
    'hashlimit-name': extension('hashlimit_name'),
    'hashlimit-htable-size': extension('hashlimit_htable_size'),
    'hashlimit-htable-max': extension('hashlimit_htable_max'),
    'hashlimit-htable-gcinterval': extension('hashlimit_htable_gcinterval'),
    'hashlimit-htable-expire': extension('hashlimit_htable_expire'),
    'hashlimit-srcmask': extension('hashlimit_srcmask'),
    'hashlimit-dstmask': extension('hashlimit_dstmask'),
  },
  quota: { quota: extension('quota') },
  time: {
    timestart: extension('time_start'),
    timestop: extension('time_stop'),
    monthdays: extension('time_monthdays'),
    weekdays: extension('time_weekdays'),
    datestart: extension('time_date_start'),
    datestop: extension('time_date_stop'),
    kerneltz: extension('time_kerneltz'),
    utc: extension('time_utc'),
    contiguous: extension('time_contiguous'),
  },
  mark: { mark: only('meta mark') },
  set: {
    'match-set': extension('match_set'),
    'return-nomatch': extension('match_nomatch'),
  },
  statistic: {
    mode: extension('statistic_mode'),
    probability: extension('statistic_probability'),
    every: extension('statistic_every'),
    packet: extension('statistic_packet'),
  },
};

export function rowOf(match: MatchName, option: string): OptionRow {
  const row = ROWS[match][option];
  if (!row) throw new TypeError(`option ${option} of match ${match} has no form in JSON`);
  return row;
}

/** An option of a match that JSON says by a test. */
export interface Test {
  readonly match: MatchName;
  readonly option: string;
  readonly row: TestRow;
  readonly form: ValueForm;
}

/** Every option that is a test. */
export const TESTS: readonly Test[] = Object.keys(MATCHES)
  .filter(isMatchName)
  .flatMap((match) =>
    Object.keys(MATCHES[match].options).flatMap((option) => {
      const row = rowOf(match, option);
      if (typeof row === 'string') return [];
      const { value } = describeOption({ name: match, options: [] }, option);
      return [{ match, option, row, form: FORMS[value] }];
    }),
  );

/** The test of what is looked at and compared with a value of the shape; several for constants. */
export function testsOf(selector: Selector): readonly Test[] {
  return BY_SELECTOR.get(selector) ?? [];
}

const BY_SELECTOR = new Map<Selector, Test[]>();
for (const test of TESTS)
  for (const selector of test.row.selectors) {
    const found = BY_SELECTOR.get(selector);
    if (found) found.push(test);
    else BY_SELECTOR.set(selector, [test]);
  }

/** All that a rule can look at, for messages. */
export const SELECTORS: readonly Selector[] = [...BY_SELECTOR.keys()];
