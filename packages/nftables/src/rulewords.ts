/** A rule of a document as the words of a rule, each with its place in the document. */

import { optionWord } from '@sockfilter/iptables';
import { didYouMean, type Span, type Word } from '@sockfilter/language';
import { isMatchName, type MatchName } from '@sockfilter/table';
import { type Right, shapeOf } from './form.js';
import { type LaidMatch, usualLayout } from './layout.js';
import { readLimit } from './limit.js';
import { type JsonNode, type JsonText, type Members, nodeNoun } from './node.js';
import { SELECTORS, type Test, testsOf } from './row.js';
import { EXTENSION, readSelector, type Selector } from './selector.js';
import { STATEMENT_READERS } from './statement.js';

const plain = (text: string, span: Span): Word => ({ text, span, quoted: false });
/** A value, which is never taken for an option. */
const value = (text: string, span: Span): Word => ({ text, span, quoted: true });

interface ReadTest {
  readonly match: MatchName;
  readonly option: string;
  /** What it looks at; a limit looks at nothing. */
  readonly selector?: Selector;
  readonly words: readonly Word[];
}

/** The masked expression and the mask, or the expression itself. */
function splitMask(json: JsonText, left: JsonNode) {
  if (left.children?.[0]?.children?.[0]?.value !== '&') return { looked: left, mask: undefined };
  const both = json.members(left, ['&'], 'the left side of a match')?.get('&');
  const [looked, mask, more] = both?.children ?? [];
  if (both?.type === 'array' && looked && mask && !more) return { looked, mask };
  if (both) json.report(both, '`&` takes an expression and a mask');
  return undefined;
}

function pickTest(tests: readonly Test[], { shape, node }: Right): Test | undefined {
  return tests.find(({ row, form }) =>
    row.constant === undefined ? form.shapes.includes(shape) : row.constant === node.value,
  );
}

function readMatch(
  json: JsonText,
  statement: JsonNode,
  body: JsonNode,
): readonly ReadTest[] | undefined {
  const parts = json.members(body, ['op', 'left', 'right'], '`match`');
  if (!parts) return undefined;
  const [op, left, right] = ['op', 'left', 'right'].map((key) => parts.get(key));
  if (!left || !right) {
    json.report(body, '`match` needs `left` and `right`');
    return undefined;
  }
  if (op && op.value !== '==' && op.value !== '!=') {
    const help = 'a comparison is a range: `{"range": [0, 1023]}`';
    json.report(op, `a socket rule compares with \`==\` or \`!=\`, not \`${op.value}\``, help);
    return undefined;
  }
  const split = splitMask(json, left);
  const selector = split && readSelector(json, split.looked);
  if (!split || selector === undefined) return undefined;
  const tests = testsOf(selector);
  if (tests.length === 0) {
    const help = didYouMean(selector, SELECTORS);
    json.report(split.looked, `no socket rule can look at \`${selector}\``, help);
    return undefined;
  }
  const shape = split.mask ? 'mask' : shapeOf(right);
  const found: Right = { shape, node: right, mask: split.mask };
  const test = pickTest(tests, found);
  if (!test) {
    const constants = tests.flatMap(({ row }) => row.constant ?? []);
    const shapes = [...new Set(tests.flatMap(({ form }) => form.shapes))];
    const what = constants.length > 0 ? constants : shapes.map((each) => `a ${each}`);
    json.report(right, `\`${selector}\` is compared here with ${what.join(' or ')}`);
    return undefined;
  }
  const texts = test.row.constant === undefined ? test.form.read(found, json) : [];
  if (!texts) return undefined;
  const span = json.spanOf(statement);
  const words = [
    ...(op?.value === '!=' ? [plain('!', json.spanOf(op))] : []),
    plain(optionWord(test.match, test.option), span),
    ...texts.map((text) => value(text, json.spanOf(right))),
  ];
  return [{ match: test.match, option: test.option, selector, words }];
}

/** The tests that nft's `limit` stands for. */
function readLimitTests(json: JsonText, statement: JsonNode, body: JsonNode) {
  const span = json.spanOf(statement);
  return readLimit(json, body)?.map(
    ({ option, text, node }): ReadTest => ({
      match: 'limit',
      option,
      words: [plain(optionWord('limit', option), span), value(text, json.spanOf(node))],
    }),
  );
}

const STATEMENTS = ['match', 'limit', 'counter', ...Object.keys(STATEMENT_READERS)];

/** What a rule's statements say, in their order: tests, a counter, a verdict. */
class Statements {
  readonly tests: ReadTest[] = [];
  packets: string | undefined;
  verdict: readonly Word[] | undefined;
  sound = true;
  #counted = false;
  readonly #json: JsonText;

  constructor(json: JsonText, expr: JsonNode) {
    this.#json = json;
    if (expr.type !== 'array') {
      this.#fault(expr, `\`expr\` is an array of statements, not ${nodeNoun(expr)}`);
      return;
    }
    for (const statement of expr.children ?? []) this.#read(statement);
  }

  #fault(node: JsonNode, message: string, help?: string): void {
    this.sound = false;
    this.#json.report(node, message, help);
  }

  #read(statement: JsonNode): void {
    const kinds = this.#json.members(statement, STATEMENTS, 'a socket rule');
    const [kind, ...more] = kinds ?? [];
    if (!kind || more.length > 0) {
      this.sound = false;
      if (kinds) this.#json.report(statement, 'a statement is an object with one key');
      return;
    }
    const [name, body] = kind;
    if (this.verdict) {
      this.#fault(statement, 'nothing stands behind the verdict of a rule');
      return;
    }
    if (name === 'counter') {
      this.#readCounter(statement, body);
      return;
    }
    if (name === 'match' || name === 'limit') {
      this.#readTests(statement, name, body);
      return;
    }
    this.verdict = STATEMENT_READERS[name]?.(this.#json, body, this.#json.spanOf(statement));
    if (!this.verdict) this.sound = false;
  }

  #readTests(statement: JsonNode, name: 'match' | 'limit', body: JsonNode): void {
    if (this.#counted) {
      this.#fault(
        statement,
        'a rule counts what all of its matches match',
        'put `counter` behind them',
      );
      return;
    }
    const tests =
      name === 'limit'
        ? readLimitTests(this.#json, statement, body)
        : readMatch(this.#json, statement, body);
    if (tests) this.tests.push(...tests);
    else this.sound = false;
  }

  #readCounter(statement: JsonNode, body: JsonNode): void {
    if (this.#counted) {
      this.#fault(statement, 'a rule has one counter');
      return;
    }
    this.#counted = true;
    if (body.type === 'null') return;
    const parts = this.#json.members(body, ['packets', 'bytes'], '`counter`');
    this.packets = parts && readCount(this.#json, parts.get('packets'));
  }
}

/** A count as digits; `0` if it is absent or no count, which is told. */
export function readCount(json: JsonText, node: JsonNode | undefined): string {
  const text = node && json.text(node);
  if (text !== undefined && /^\d+$/.test(text)) return text;
  if (node) json.report(node, 'a count is a whole number from 0');
  return '0';
}

function readLaid(json: JsonText, node: JsonNode, comment: string | undefined) {
  const parts = json.members(node, ['match', 'tests', 'comment'], 'a match of `matches`');
  const name = parts?.get('match');
  const match = String(name?.value);
  if (!parts) return undefined;
  if (name?.type !== 'string' || !isMatchName(match)) {
    json.report(name ?? node, 'a match of `matches` needs the name of a match');
    return undefined;
  }
  if (match === 'comment') {
    const own = parts.get('comment');
    return { match, tests: 0, comment: own ? String(own.value) : (comment ?? '') };
  }
  return { match, tests: Number(readCount(json, parts.get('tests'))) };
}

/** How the rule itself says that its tests make matches. */
function readLayout(
  json: JsonText,
  node: JsonNode,
  tests: readonly ReadTest[],
  comment: string | undefined,
) {
  const list = json.members(node, ['matches'], `\`${EXTENSION}\``)?.get('matches');
  if (list?.type !== 'array') {
    json.report(list ?? node, `\`${EXTENSION}\` beside \`expr\` is \`{"matches": [...]}\``);
    return undefined;
  }
  const laid: LaidMatch[] = [];
  let at = 0;
  for (const each of list.children ?? []) {
    const found = readLaid(json, each, comment);
    if (!found) return undefined;
    const own = tests.slice(at, at + found.tests);
    at += found.tests;
    if (own.length < found.tests || own.some(({ match }) => match !== found.match)) {
      json.report(each, 'these are not the tests of the rule in their order');
      return undefined;
    }
    laid.push(found);
  }
  const isWhole = at === tests.length;
  const saysComment = comment === undefined || laid.some(({ match }) => match === 'comment');
  if (isWhole && saysComment) return laid;
  json.report(
    list,
    isWhole ? 'the comment of the rule is missing here' : 'tests of the rule are missing here',
  );
  return undefined;
}

const HEADER = /^(tcp|udp|udplite) /;

/** nft leaves out the protocol where a header says it; a rule says it. */
function impliedProtocol(tests: readonly ReadTest[], span: Span): readonly Word[] {
  if (tests.some(({ match, option }) => match === 'ip' && option === 'protocol')) return [];
  const [protocol] = tests.flatMap(({ selector }) => HEADER.exec(selector ?? '')?.[1] ?? []);
  return protocol === undefined ? [] : [plain('-p', span), value(protocol, span)];
}

/** The words of a rule without its command and chain; undefined where something is wrong, which is told. */
export function ruleWords(json: JsonText, rule: JsonNode, parts: Members) {
  const expr = parts.get('expr');
  const before = json.diagnostics.length;
  const said = expr && new Statements(json, expr);
  const span = json.spanOf(rule);
  const given = parts.get('comment');
  const comment = given && String(given.value);
  if (given && given.type !== 'string')
    json.report(given, `a comment is a string, not ${nodeNoun(given)}`);
  if (!expr) json.report(rule, 'a rule needs `expr`');
  if (!said?.sound || json.diagnostics.length > before) return undefined;
  const layout = parts.get(EXTENSION);
  const laid = layout
    ? readLayout(json, layout, said.tests, comment)
    : usualLayout(said.tests, comment);
  if (!laid) return undefined;
  const words: Word[] = [...impliedProtocol(said.tests, span)];
  const rest = said.tests.slice();
  for (const { match, tests, comment: text } of laid) {
    if (match !== 'ip') words.push(plain('-m', span), value(match, span));
    if (match === 'comment')
      words.push(plain('--comment', span), value(text ?? '', given ? json.spanOf(given) : span));
    for (const test of rest.splice(0, tests)) words.push(...test.words);
  }
  return { words: [...words, ...(said.verdict ?? [])], packets: said.packets };
}
