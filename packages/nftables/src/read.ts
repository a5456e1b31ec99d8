/**
 * Reading documents of nftables JSON. Every item becomes the words that say it in the notation of rules,
 * each with its place in the document: one reader judges both notations, and a table that is read here
 * can always be printed there, which is how the kernel keeps it.
 */
import {
  type ParsedSave,
  parseSaveWords,
  type SaveContext,
  type SavedWords,
} from '@sockfilter/iptables';
import type { Diagnostic, Span, Word } from '@sockfilter/language';
import { isBuiltinChain } from '@sockfilter/table';
import { type JsonNode, JsonText, nodeNoun } from './node.js';
import { readCount, ruleWords } from './rulewords.js';
import { EXTENSION } from './selector.js';
import { SET_KEYS, setWords } from './set.js';
import { DENY_UNSEEN, FORMAT, hookOf, TABLE } from './write.js';

const ITEMS = ['metainfo', 'table', 'chain', 'set', 'rule', 'add', EXTENSION];

const plain = (text: string, span: Span): Word => ({ text, span, quoted: false });
const quoted = (text: string, span: Span): Word => ({ text, span, quoted: true });

class Reader {
  readonly #json: JsonText;
  readonly #lines: SavedWords[] = [];
  #opened = false;
  /** All mistakes so far are in rules, which nothing else depends on. */
  isDeclared = true;

  constructor(json: JsonText) {
    this.#json = json;
  }

  read(): readonly SavedWords[] {
    const { root } = this.#json;
    if (!root) return [];
    const items = this.#json.members(root, ['nftables'], 'a document')?.get('nftables');
    if (items?.type !== 'array') {
      this.isDeclared = false;
      if (this.#json.diagnostics.length === 0)
        this.#json.report(items ?? root, 'a document is `{"nftables": [...]}`');
      return [];
    }
    for (const item of items.children ?? []) this.#readItem(item);
    if (!this.#opened && this.#json.diagnostics.length === 0) {
      this.isDeclared = false;
      this.#json.report(
        items,
        `no table: the document needs \`{"table": {"family": "${TABLE.family}", "name": "${TABLE.table}"}}\``,
      );
    }
    this.#say(root, [plain('COMMIT', this.#json.spanOf(root))]);
    return this.#lines;
  }

  #say(node: JsonNode, words: readonly Word[]): void {
    this.#lines.push({ words, span: this.#json.spanOf(node) });
  }

  #readItem(item: JsonNode): void {
    const kinds = this.#json.members(item, ITEMS, 'the socket table');
    const [kind, ...more] = kinds ?? [];
    if (!kind || more.length > 0) {
      if (kinds) this.#json.report(item, 'an item is an object with one key');
      this.isDeclared = false;
      return;
    }
    const [name, body] = kind;
    if (name === 'add') {
      this.#readItem(body);
      return;
    }
    if (name === 'rule') {
      this.#readRule(body);
      return;
    }
    const before = this.#json.diagnostics.length;
    if (name === 'metainfo') this.#readMetainfo(body);
    else if (name === 'table') this.#readTable(body);
    else if (name === 'chain') this.#readChain(body);
    else if (name === 'set') this.#readSet(body);
    else this.#readGroup(body);
    if (this.#json.diagnostics.length > before) this.isDeclared = false;
  }

  /** A newer program may say more of itself here: what means something has another format. */
  #readMetainfo(body: JsonNode): void {
    const parts = new Map(
      (body.children ?? []).map(({ children: [key, value] = [] }) => [key?.value, value]),
    );
    const own = parts.get(EXTENSION);
    const format = own?.children?.find(({ children: [key] = [] }) => key?.value === 'format')
      ?.children?.[1];
    const number = format?.type === 'number' ? Number(format.value) : 1;
    if (own && (format?.type !== 'number' || !Number.isInteger(number) || number < 1))
      this.#json.report(own, `\`${EXTENSION}\` of metainfo needs the number of its \`format\``);
    if (format && number > FORMAT) {
      const message = `a newer sockfilter has written this: format ${number}, and this one reads ${FORMAT}`;
      this.#json.report(format, message, 'read it with that one');
    }
  }

  /** Whether the thing is in our table. */
  #isOurs(node: JsonNode, family: JsonNode | undefined, table: JsonNode | undefined): boolean {
    if (family?.value === TABLE.family && table?.value === TABLE.table) return true;
    const message = `sockfilter has the table \`${TABLE.table}\` of the family \`${TABLE.family}\` alone`;
    this.#json.report(family?.value === TABLE.family ? (table ?? node) : (family ?? node), message);
    return false;
  }

  #readTable(body: JsonNode): void {
    const parts = this.#json.members(body, ['family', 'name', 'handle', EXTENSION], 'this table');
    if (!parts) return;
    const sound = this.#isOurs(body, parts.get('family'), parts.get('name'));
    if (this.#opened) this.#json.report(body, 'the table is given twice');
    else if (sound) this.#say(body, [plain(`*${TABLE.table}`, this.#json.spanOf(body))]);
    this.#opened = true;
    const own = parts.get(EXTENSION);
    if (own) this.#readOption(own);
  }

  #readOption(own: JsonNode): void {
    const given = this.#json.members(own, [DENY_UNSEEN], `\`${EXTENSION}\` of the table`);
    const node = given?.get(DENY_UNSEEN);
    if (!node) return;
    if (typeof node.value !== 'boolean') {
      this.#json.report(node, `\`${DENY_UNSEEN}\` is true or false`);
      return;
    }
    const span = this.#json.spanOf(node);
    this.#say(node, [plain(`--${DENY_UNSEEN}`, span), plain(node.value ? 'on' : 'off', span)]);
  }

  #inTable(body: JsonNode): boolean {
    if (this.#opened) return true;
    this.#json.report(body, 'the table must be given before what is in it');
    this.#opened = true;
    return false;
  }

  #name(body: JsonNode, node: JsonNode | undefined, what: string): string | undefined {
    if (node?.type === 'string') return String(node.value);
    this.#json.report(node ?? body, `${what} needs a name`);
    return undefined;
  }

  #readChain(body: JsonNode): void {
    if (!this.#inTable(body)) return;
    const base = ['type', 'hook', 'prio', 'policy', EXTENSION];
    const parts = this.#json.members(
      body,
      ['family', 'table', 'name', 'handle', ...base],
      'a chain',
    );
    if (!parts || !this.#isOurs(body, parts.get('family'), parts.get('table'))) return;
    const name = this.#name(body, parts.get('name'), 'a chain');
    if (name === undefined) return;
    const span = this.#json.spanOf(parts.get('name') ?? body);
    if (!isBuiltinChain(name)) {
      for (const key of base) {
        const given = parts.get(key);
        if (given) {
          this.#json.report(given, `a user chain has no \`${key}\``);
          return;
        }
      }
      this.#say(body, [plain(`:${name}`, span), quoted('-', span)]);
      return;
    }
    const expected: Readonly<Record<string, unknown>> = {
      type: 'filter',
      hook: hookOf(name),
      prio: 0,
    };
    for (const [key, wanted] of Object.entries(expected)) {
      const given = parts.get(key);
      if (given && given.value !== wanted) {
        this.#json.report(given, `\`${key}\` of ${name} is \`${wanted}\``);
        return;
      }
    }
    const policy = parts.get('policy');
    const word = policy ? String(policy.value) : '-';
    if (policy && word !== 'accept' && word !== 'drop') {
      this.#json.report(policy, 'a policy is accept or drop');
      return;
    }
    const own = parts.get(EXTENSION);
    const said =
      own && this.#json.members(own, ['packets', 'audit'], `\`${EXTENSION}\` of a chain`);
    const packets = readCount(this.#json, said?.get('packets'));
    this.#say(body, [
      plain(`:${name}`, span),
      quoted(word.toUpperCase(), policy ? this.#json.spanOf(policy) : span),
      quoted(`[${packets}:0]`, span),
      ...this.#auditWords(said?.get('audit')),
    ]);
  }

  #auditWords(audit: JsonNode | undefined): readonly Word[] {
    if (!audit) return [];
    if (audit.value === true) return [plain('--audit', this.#json.spanOf(audit))];
    this.#json.report(audit, '`audit` is true, or is not there');
    return [];
  }

  #readSet(body: JsonNode): void {
    if (!this.#inTable(body)) return;
    const parts = this.#json.members(body, ['family', 'table', ...SET_KEYS], 'a set');
    if (!parts || !this.#isOurs(body, parts.get('family'), parts.get('table'))) return;
    for (const words of setWords(this.#json, body, parts)) this.#say(body, words);
  }

  #readGroup(body: JsonNode): void {
    if (!this.#inTable(body)) return;
    const group = this.#json.members(body, ['group'], `\`${EXTENSION}\``)?.get('group');
    const parts = group && this.#json.members(group, ['name', 'id', 'path'], 'a group');
    if (!parts || !group) return;
    const words = [plain('-G', this.#json.spanOf(group))];
    const options = { name: undefined, id: '--id', path: '--path' } as const;
    for (const [key, option] of Object.entries(options)) {
      const node = parts.get(key);
      if (!node) {
        if (key === 'name') {
          this.#json.report(group, 'a group needs a name');
          return;
        }
        continue;
      }
      const text = this.#json.text(node);
      if (text === undefined) {
        this.#json.report(node, `\`${key}\` of a group is not ${nodeNoun(node)}`);
        return;
      }
      const span = this.#json.spanOf(node);
      if (option !== undefined) words.push(plain(option, span));
      words.push(quoted(text, span));
    }
    this.#say(group, words);
  }

  #readRule(body: JsonNode): void {
    if (!this.#inTable(body)) return;
    const known = ['family', 'table', 'chain', 'handle', 'comment', 'expr', EXTENSION];
    const parts = this.#json.members(body, known, 'a rule');
    if (!parts || !this.#isOurs(body, parts.get('family'), parts.get('table'))) return;
    const chain = this.#name(body, parts.get('chain'), 'the chain of a rule');
    const rule = ruleWords(this.#json, body, parts);
    if (!rule || chain === undefined) return;
    const span = this.#json.spanOf(body);
    const place = this.#json.spanOf(parts.get('chain') ?? body);
    this.#say(body, [
      ...(rule.packets === undefined ? [] : [plain(`[${rule.packets}:0]`, span)]),
      plain('-A', span),
      quoted(chain, place),
      ...rule.words,
    ]);
  }
}

/** The mistakes of a document, each with its JSON path. */
function withPaths(json: JsonText, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.map((each) => {
    const path = json.pathAt(each.span);
    return path === undefined ? each : { ...each, notes: [...(each.notes ?? []), `at ${path}`] };
  });
}

/** Reads a document. It never throws: what is wrong is in the diagnostics, in the document's order. */
export function parseTable(text: string, name: string, context: SaveContext): ParsedSave {
  const json = new JsonText({ name, text });
  const reader = new Reader(json);
  const parsed = parseSaveWords(json.source, reader.read(), context);
  const own = json.diagnostics;
  // What is missing because it is wrong would make mistakes of its own.
  const more = json.root && reader.isDeclared ? parsed.diagnostics : [];
  const all = [...own, ...more].sort(
    (a, b) => a.span.line - b.span.line || a.span.column - b.span.column,
  );
  return { ...parsed, diagnostics: withPaths(json, all) };
}
