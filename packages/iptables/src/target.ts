/** Targets, from the words of -j, -g and --reject-with, and back. */
import { bad, didYouMean, good, type Parsed, type Word } from '@sockfilter/language';
import { isBuiltinChain, REJECT_ERRNO, type RejectErrno, type Target } from '@sockfilter/table';
import { parseChainName, TARGET_NAMES } from './chainname.js';
import type { RuleDraft } from './ruledraft.js';
import { UNSUPPORTED_TARGETS } from './unsupported.js';

const FIXED: Readonly<Record<string, Target>> = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  RETURN: { kind: 'return' },
};

function isErrno(name: string): name is RejectErrno {
  return Object.hasOwn(REJECT_ERRNO, name);
}

function parseErrno(word: Word): Parsed<RejectErrno> {
  const name = word.text.toUpperCase();
  if (isErrno(name)) return good(name);
  const at = { span: word.span };
  const all = Object.keys(REJECT_ERRNO);
  if (/^(icmp6?-|tcp-reset|no-route|adm-prohibited|addr-unreach|port-unreach)/.test(word.text)) {
    const message = `\`${word.text}\` is an answer on the network: a socket call fails with an errno`;
    return bad('unsupported', message, { ...at, help: 'try `--reject-with ECONNREFUSED`' });
  }
  const help = didYouMean(word.text, all) ?? `it can be ${all.join(', ')}`;
  return bad('bad-value', `unknown errno \`${word.text}\` for \`--reject-with\``, { ...at, help });
}

/** The target of the draft; undefined if it has none. */
export function parseTarget(draft: RuleDraft): Parsed<Target | undefined> {
  const { target, rejectWith } = draft;
  const word = target?.use.words[0];
  if (rejectWith && word?.text !== 'REJECT') {
    const message = '`--reject-with` needs `-j REJECT`';
    return bad('missing', message, { span: rejectWith.span });
  }
  if (!target || !word) return good(undefined);
  const at = { span: word.span };
  const name = word.text;
  if (target.goto && TARGET_NAMES.includes(name)) {
    const message = `\`-g\` goes to a user chain, and \`${name}\` is a target`;
    return bad('bad-target', message, { ...at, help: `write \`-j ${name}\`` });
  }
  const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
  if (fixed) return good(fixed);
  if (name === 'REJECT') {
    const errnoWord = rejectWith?.words[0];
    const errno = errnoWord ? parseErrno(errnoWord) : good<RejectErrno>('EPERM');
    return errno.ok ? good({ kind: 'reject', errno: errno.value }) : errno;
  }
  if (isBuiltinChain(name))
    return bad('bad-target', `\`${name}\` is a built-in chain: no rule can jump to it`, at);
  const reason = Object.hasOwn(UNSUPPORTED_TARGETS, name) ? UNSUPPORTED_TARGETS[name] : undefined;
  if (reason !== undefined)
    return bad('unsupported', `target \`${name}\` is not available: ${reason}`, at);
  const chain = parseChainName(word);
  if (!chain.ok) return chain;
  return good({ kind: target.goto ? 'goto' : 'jump', chain: chain.value });
}

/** `-j ACCEPT`; empty for a rule without a target. */
export function printTarget(target: Target | undefined): string {
  switch (target?.kind) {
    case undefined:
      return '';
    case 'accept':
      return '-j ACCEPT';
    case 'drop':
      return '-j DROP';
    case 'return':
      return '-j RETURN';
    case 'reject':
      return `-j REJECT --reject-with ${target.errno}`;
    case 'jump':
      return `-j ${target.chain}`;
    case 'goto':
      return `-g ${target.chain}`;
  }
}
