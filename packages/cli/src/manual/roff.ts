/** Markdown as man(7) source: tables become lists of terms, and links into the docs their words. */
import type {
  BlockContent,
  DefinitionContent,
  Link,
  Paragraph,
  PhrasingContent,
  Root,
  RootContent,
} from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkMan from 'remark-man';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

export interface Title {
  readonly name: string;
  readonly section: number;
  readonly description: string;
  readonly version: string;
}

/** Private characters until the text is roff: around a term, and before what would be a request. */
const GUARD = '\u{e002}';
const TERM = '\u{e000}';
const END = '\u{e001}';

const text = (value: string): PhrasingContent => ({ type: 'text', value });

function isLocal({ url }: Link): boolean {
  return !/^[a-z]+:/.test(url);
}

/** Without links that lead nowhere from a terminal. */
function plain(nodes: readonly PhrasingContent[]): PhrasingContent[] {
  return nodes.flatMap((node) => {
    if (node.type === 'link' && isLocal(node)) return plain(node.children);
    return [node];
  });
}

/** A row of a table: what its last cell says of the others. */
function term(cells: readonly PhrasingContent[][]): Paragraph {
  const said = plain(cells.at(-1) ?? []);
  const terms = cells.slice(0, -1).filter((cell) => {
    const [first] = cell;
    return first && !(first.type === 'text' && first.value === '(none)');
  });
  const spaced = terms.flatMap((cell, at) =>
    at === 0 ? plain(cell) : [text(' '), ...plain(cell)],
  );
  return { type: 'paragraph', children: [text(TERM), ...spaced, text(END), ...said] };
}

type Block = BlockContent | DefinitionContent;

function readable<Node extends Block | RootContent>(node: Node): (Node | Paragraph)[] {
  if (node.type === 'table')
    return node.children.slice(1).map((row) => term(row.children.map(({ children }) => children)));
  if (node.type === 'paragraph') return [{ ...node, children: plain(node.children) }];
  if (node.type === 'list') {
    const children = node.children.map((item) => ({
      ...item,
      children: item.children.flatMap((child) => readable(child)),
    }));
    return [{ ...node, children }];
  }
  if (node.type === 'code') return [{ ...node, value: node.value.replace(/^(?=[.'])/gm, GUARD) }];
  return [node];
}

function manualTree() {
  return (tree: Root): Root => ({
    ...tree,
    children: tree.children.flatMap((child) => readable(child)),
  });
}

/** A line that begins with a dot or a quote would be a request. */
const guarded = (line: string) => (/^[.']/.test(line) ? `\\&${line}` : line);

/** The page, the same for the same text whenever it is made. */
export async function manualPage(markdown: string, title: Title): Promise<string> {
  const { name, section, description, version } = title;
  const file = await unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(manualTree)
    .use(remarkMan, { name, section, description, date: 0 })
    .process(markdown);
  const terms = new RegExp(`^\\.P\\n${TERM}([^${END}]*)${END} ?(.*)$`, 'gm');
  return String(file)
    .replace(/^\.TH .*$/m, `.TH "${name.toUpperCase()}" "${section}" "" "sockfilter ${version}" ""`)
    .replace(terms, (_, head: string, body: string) => `.TP\n${guarded(head)}\n${guarded(body)}`)
    .replaceAll(GUARD, '\\&');
}
