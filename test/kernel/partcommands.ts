/** Rules and commands that are drawn for tests of edits: of few values, so that they often meet. */
import fc from 'fast-check';

export const GROUPS = [0, 3, 4, 5, 6, 0x30003, 0x30004];

const groupWords = fc.constantFrom(
  ...GROUPS.flatMap((id) => [`-m cgroup --id ${id}`, `-m cgroup --id ${id}`]),
  '',
  '-m cgroup --id 4:5',
  '-m cgroup ! --id 3',
  '-m cgroup --path /b',
  '-m cgroup --id 3 -m comment --comment "of -m cgroup --id 4 -d 10.0.0.9 "',
);
const matchWords = fc.constantFrom(
  '',
  '-d 10.0.0.1',
  '-d 10.0.0.2',
  '-d 10.0.0.0/24',
  '-d 10.0.0.2 -p udp',
  '! -d 10.0.0.1',
  '-d 2001:db8::1',
  '-6',
  '-p tcp --dport 80',
  '-p tcp --dport 80:90',
  '-p tcp ! --dport 80',
  '-d 10.0.0.1 -p tcp --dport 90',
  '-p udp',
  '-m owner --uid-owner 7',
);
const ENDS = [
  '-j ACCEPT',
  '-j ACCEPT',
  '-j DROP',
  '-j REJECT --reject-with EACCES',
  '-j LOG',
  '-j TRACE',
  '-j RETURN',
  '',
];
const CALLS = ['-j U', '-j W', '-g V'];
const ruleOf = (...targets: readonly string[]) =>
  fc.tuple(groupWords, matchWords, fc.constantFrom(...targets)).map((words) => words.join(' '));
const rule = ruleOf(...ENDS, ...CALLS);
const chain = fc.constantFrom('BIND', 'CONNECT', 'CONNECT', 'CONNECT', 'CONNECT', 'U', 'V', 'W');
const builtin = fc.constantFrom('BIND', 'CONNECT');
const line = fc.tuple(chain, rule).map(([name, words]) => `-A ${name} ${words}`);
/** Chains that call each other in circles are no table. */
export const firstLine = fc.oneof(
  fc.tuple(builtin, rule).map(([name, words]) => `-A ${name} ${words}`),
  fc.tuple(chain, ruleOf(...ENDS)).map(([name, words]) => `-A ${name} ${words}`),
);

const number = fc.integer({ min: 1, max: 6 });
const userChain = fc.constantFrom('U', 'V', 'W', 'W');
const anyChain = fc.constantFrom('BIND', 'CONNECT', 'CONNECT', 'U', 'V', 'W');
const name = fc.constantFrom('a', 'b', 'c');
/** What leaves all rules as they are. */
const headCommand = fc.oneof(
  fc
    .tuple(builtin, fc.constantFrom('ACCEPT', 'DROP', 'DROP --audit'))
    .map(([of, policy]) => `-P ${of} ${policy}`),
  fc.constant('-Z'),
  anyChain.map((of) => `-Z ${of}`),
  fc.tuple(anyChain, number).map(([of, n]) => `-Z ${of} ${n}`),
  userChain.map((of) => `-N ${of}`),
  userChain.map((of) => `-X ${of}`),
  name.map((of) => `group add ${of}`),
  name.map((of) => `group delete ${of}`),
);
const ruleCommand = fc.oneof(
  line,
  fc.tuple(chain, number, rule).map(([name, n, words]) => `-I ${name} ${n} -c 7 9 ${words}`),
  fc.tuple(chain, rule).map(([name, words]) => `-D ${name} ${words}`),
  fc.tuple(chain, number).map(([name, n]) => `-D ${name} ${n}`),
  fc.tuple(chain, number, rule).map(([name, n, words]) => `-R ${name} ${n} ${words}`),
);
export const command = fc.oneof(
  { arbitrary: headCommand, weight: 2 },
  { arbitrary: ruleCommand, weight: 5 },
);

/** Commands that go into force together, with a line for each. */
const batchOf = (each: fc.Arbitrary<string>) =>
  fc.array(each, { minLength: 2, maxLength: 5 }).map((lines) => lines.join('\n'));
export const batch = batchOf(ruleCommand);

/** What leads calls down a built-in chain, from rule to rule: little else does in what is drawn above. */
const downRule = ruleOf('-j ACCEPT', '-j DROP', '-j DROP', '-j LOG', '', '-j U', '-j W');
export const downLine = fc.tuple(builtin, downRule).map(([name, words]) => `-A ${name} ${words}`);
const downEdit = fc.oneof(
  downLine,
  fc.tuple(builtin, number, downRule).map(([name, n, words]) => `-I ${name} ${n} ${words}`),
  fc.tuple(builtin, number).map(([name, n]) => `-D ${name} ${n}`),
  fc.tuple(builtin, number, downRule).map(([name, n, words]) => `-R ${name} ${n} ${words}`),
);
export const downBatch = batchOf(downEdit);
export const downCommand = fc.oneof(
  { arbitrary: downEdit, weight: 4 },
  builtin.map((of) => `-P ${of} DROP --audit`),
);
