/** The demo's table, for 100 columns. */
import { CHAINS, type DemoCall, SILENCE } from './calls.js';
import { printEndpoint } from './command.js';

export interface Row {
  readonly call: DemoCall;
  readonly got: string;
  /** The rule or policy that decided, in -S form. */
  readonly rule: string;
}

const WIDTH = 100;
const CALL_WIDTH = 66;
const OUTCOME_WIDTH = 14;

const SOURCES: Readonly<Record<DemoCall['chain'], string>> = {
  BIND: 'bind(2): -d is the address asked for',
  CONNECT: 'connect(2): -d is the peer',
  ACCEPT: 'a SYN that reaches a listener: -s is the peer, -d the address reached',
  SENDTO: 'sendto(2): -s is our address, -d the peer',
  RECVFROM: 'a datagram that reaches a socket: -s is the peer, -d the address reached',
};

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export class Painter {
  readonly #colour: boolean;

  constructor(colour: boolean) {
    this.#colour = colour;
  }

  paint(style: Style, text: string): string {
    return this.#colour ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }
}

export function differs({ call, got }: Row): boolean {
  return call.expected !== got;
}

function describeCall({ chain, group, protocol, from, to, peer, uid }: DemoCall): string {
  const target = printEndpoint(to);
  const source = from ? printEndpoint(from) : '';
  const user = uid === undefined ? '' : ` as uid ${uid}`;
  switch (chain) {
    case 'BIND':
      return `${group} binds ${protocol} ${target}${user}`;
    case 'CONNECT':
      return `${group} connects ${protocol} to ${target}${user}`;
    case 'SENDTO':
      return `${group} sends from ${source} to ${target}`;
    case 'ACCEPT':
    case 'RECVFROM':
      return `${group} at ${target} hears ${peer} at ${source}`;
  }
}

/** Breaks a rule between words so that it fits under `by`. */
function wrapRule(rule: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of rule.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - 6) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function printRow(row: Row, painter: Painter): string {
  const { call, got, rule } = row;
  const isAllowed = got === 'ok';
  const outcome = painter.paint(
    differs(row) ? 'red' : isAllowed ? 'green' : 'yellow',
    got.padEnd(OUTCOME_WIDTH),
  );
  const mark = differs(row) ? painter.paint('red', 'DIFFERS') : '';
  const expected = call.expected.padEnd(OUTCOME_WIDTH);
  const first = `  ${describeCall(call).padEnd(CALL_WIDTH)}${expected}${outcome}${mark}`.trimEnd();
  const by = wrapRule(rule).map((line) => painter.paint('dim', `      ${line}`));
  return [first, ...by].join('\n');
}

export function printTable(rows: readonly Row[], painter: Painter): string {
  const head = `  ${'call'.padEnd(CALL_WIDTH)}${'expected'.padEnd(OUTCOME_WIDTH)}got`;
  const lines = [painter.paint('bold', head), '      the rule that decides'];
  for (const chain of CHAINS) {
    const some = rows.filter(({ call }) => call.chain === chain);
    if (some.length === 0) continue;
    lines.push('', `${painter.paint('bold', chain)}  ${painter.paint('dim', SOURCES[chain])}`);
    lines.push(...some.map((row) => printRow(row, painter)));
  }
  return `${lines.join('\n')}\n`;
}

/** The last line: how many calls, and how many of them differ. */
export function printSummary(rows: readonly Row[], how: string, painter: Painter): string {
  const wrong = rows.filter(differs).length;
  const refused = rows.filter(({ got }) => got !== 'ok').length;
  const counts = `${rows.length - refused} allowed, ${refused} refused`;
  const legend = `${SILENCE}: the peer is not told, and what it sent never arrives.`;
  const result =
    wrong === 0
      ? painter.paint('green', 'all as expected')
      : painter.paint('red', `${wrong} not as expected`);
  return `${legend}\n${rows.length} calls ${how}: ${counts}; ${result}\n`;
}
