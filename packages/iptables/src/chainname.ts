/** Names of chains. */
import { bad, good, type Parsed, type Word } from '@sockfilter/language';
import { isBuiltinChain, TARGETS } from '@sockfilter/table';
import { unavailableTarget } from './extensions.js';

/** As in iptables: XT_EXTENSION_MAXNAMELEN without its end. */
const MAX_CHAIN_NAME = 28;

/** The targets that are not chains. */
export const TARGET_NAMES: readonly string[] = Object.values(TARGETS).flatMap(({ word }) =>
  word === undefined ? [] : [word],
);

/** What a chain may be called wherever one is named. */
export function parseChainName(word: Word): Parsed<string> {
  const name = word.text;
  const at = { span: word.span };
  if (name === '') return bad('bad-chain', 'a chain name is empty', at);
  if (name.length > MAX_CHAIN_NAME)
    return bad(
      'bad-chain',
      `chain name \`${name}\` too long (must be under ${MAX_CHAIN_NAME + 1} chars)`,
      at,
    );
  if (/^[-!]/.test(name))
    return bad('bad-chain', `chain name \`${name}\` not allowed to start with \`${name[0]}\``, at);
  if (/[\s"'\\\p{Cc}]/u.test(name))
    return bad('bad-chain', 'a chain name must not contain blanks, quotes or backslashes', at);
  return good(name);
}

/** What a new user chain may be called. */
export function parseNewChainName(word: Word): Parsed<string> {
  const name = word.text;
  const at = { span: word.span };
  if (isBuiltinChain(name))
    return bad('does-not-fit', 'Chain already exists.', {
      ...at,
      help: `${name} is a built-in chain`,
    });
  if (TARGET_NAMES.includes(name) || unavailableTarget(name))
    return bad('bad-chain', `chain name \`${name}\` clashes with a target of that name`, at);
  return parseChainName(word);
}
