/** JSON text with the place of everything in it. */
import { type Diagnostic, didYouMean, type Source, type Span } from '@sockfilter/language';
import {
  findNodeAtOffset,
  getNodePath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { printPath } from 'nftables-json/plain';

export type JsonNode = Node;

/** Numbers with all their digits, and strings. */
function scalarText(node: JsonNode, source: Source): string | undefined {
  if (node.type === 'number') return source.text.slice(node.offset, node.offset + node.length);
  return node.type === 'string' ? String(node.value) : undefined;
}

/** In words what the node is. */
export function nodeNoun({ type, children = [] }: JsonNode): string {
  if (type === 'object') return children.length === 0 ? 'an empty object' : 'an object';
  if (type === 'array') return children.length === 0 ? 'an empty array' : 'an array';
  return type === 'null' ? 'null' : `a ${type}`;
}

export type Members = ReadonlyMap<string, JsonNode>;

/** A text of JSON being read: what is wrong is collected, each with its place and JSON path. */
export class JsonText {
  readonly source: Source;
  readonly root: JsonNode | undefined;
  readonly diagnostics: Diagnostic[] = [];
  readonly #starts: readonly number[];

  constructor(source: Source) {
    this.source = source;
    const starts = [0];
    for (let at = source.text.indexOf('\n'); at >= 0; at = source.text.indexOf('\n', at + 1))
      starts.push(at + 1);
    this.#starts = starts;
    this.root = this.#parse();
  }

  #parse(): JsonNode | undefined {
    const { text } = this.source;
    const errors: ParseError[] = [];
    try {
      const mark = text.startsWith('\ufeff') ? ' ' : '';
      const root = parseTree(mark === '' ? text : mark + text.slice(1), errors, {
        disallowComments: true,
      });
      const [error] = errors;
      if (!error && root) return root;
      const offset = error?.offset ?? 0;
      const words = error
        ? printParseErrorCode(error.error)
            .replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`)
            .toLowerCase()
        : 'it is empty';
      this.#reportAt(this.#span(offset, error?.length ?? 1), `this is not JSON: ${words}`);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#reportAt(this.#span(0, 1), 'the JSON is too deep to be a table');
    }
    return undefined;
  }

  #reportAt(span: Span, message: string): void {
    this.diagnostics.push({ code: 'bad-line', message, span, exit: 2 });
  }

  /** Tells a mistake at the node. */
  report(node: JsonNode, message: string, help?: string): void {
    const span = this.spanOf(node);
    this.diagnostics.push({ code: 'bad-line', message, span, exit: 2, help });
  }

  #lineOf(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  #span(offset: number, length: number): Span {
    const line = this.#lineOf(offset);
    const start = this.#starts[line] ?? 0;
    const end = (this.#starts[line + 1] ?? this.source.text.length + 1) - 1;
    return {
      source: this.source.name,
      line: line + 1,
      column: offset - start + 1,
      length: Math.max(1, Math.min(length, end - offset)),
    };
  }

  /** Where the node begins, to the end of that line at most. */
  spanOf({ offset, length }: JsonNode): Span {
    return this.#span(offset, length);
  }

  /** The JSON path of what stands at the place: `$.nftables[3].rule`. */
  pathAt({ line, column }: Span): string | undefined {
    if (!this.root) return undefined;
    const offset = (this.#starts[line - 1] ?? 0) + column - 1;
    const node = findNodeAtOffset(this.root, offset);
    return node && printPath(getNodePath(node));
  }

  text(node: JsonNode): string | undefined {
    return scalarText(node, this.source);
  }

  /** What the object holds by key; a key that is not `known`, or comes twice, is a mistake. */
  members(node: JsonNode, known: readonly string[], what: string): Members | undefined {
    if (node.type !== 'object') {
      this.report(node, `${what} is an object, not ${nodeNoun(node)}`);
      return undefined;
    }
    const found = new Map<string, JsonNode>();
    let sound = true;
    for (const { children: [key, value] = [] } of node.children ?? []) {
      if (!key || !value) continue;
      const name = String(key.value);
      const fault = found.has(name)
        ? `\`${name}\` is given twice`
        : known.includes(name)
          ? undefined
          : `${what} has no \`${name}\``;
      if (fault === undefined) found.set(name, value);
      else {
        sound = false;
        this.report(key, fault, found.has(name) ? undefined : didYouMean(name, known));
      }
    }
    return sound ? found : undefined;
  }
}
