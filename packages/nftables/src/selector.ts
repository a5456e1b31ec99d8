/** What a test looks at: nft's own expressions, and `sockfilter NAME` for what nft has no word for. */
import type { Json } from './json.js';
import { type JsonNode, type JsonText, nodeNoun } from './node.js';

/** The key of the expressions, statements and objects that are not nft's. */
export const EXTENSION = 'sockfilter';

/** `ip saddr`, `meta l4proto`, `sockfilter network_id`: two words. */
export type Selector = `${string} ${string}`;

/** The expression that a selector stands for. */
export function selectorJson(selector: Selector): Json {
  const [first = '', second = ''] = selector.split(' ');
  if (first === 'meta' || first === EXTENSION) return { [first]: { key: second } };
  return { payload: { protocol: first, field: second } };
}

/** The selector of an expression; undefined where it is something else, which is told. */
export function readSelector(json: JsonText, node: JsonNode): Selector | undefined {
  const kinds = json.members(node, ['payload', 'meta', EXTENSION], 'the left side of a match');
  if (!kinds) return undefined;
  const [kind, ...more] = kinds;
  if (!kind || more.length > 0) {
    json.report(node, `the left side of a match is one expression, not ${nodeNoun(node)}`);
    return undefined;
  }
  const [name, body] = kind;
  const keys = name === 'payload' ? ['protocol', 'field'] : ['key'];
  const parts = json.members(body, keys, `\`${name}\``);
  if (!parts) return undefined;
  const words = keys.map((key) => {
    const part = parts.get(key);
    const text = part?.type === 'string' ? String(part.value) : undefined;
    if (text === undefined) json.report(part ?? body, `\`${name}\` needs a string \`${key}\``);
    return text;
  });
  const [first, second = ''] = words;
  if (words.includes(undefined) || first === undefined) return undefined;
  return name === 'payload' ? `${first} ${second}` : `${name} ${first}`;
}
