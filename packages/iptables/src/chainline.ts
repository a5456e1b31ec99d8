/** The lines of a save file that declare chains: `:CHAIN POLICY [PACKETS:BYTES] [--audit]`. */
import {
  bad,
  type Diagnostic,
  diagnose,
  good,
  type Parsed,
  partOf,
  type Word,
} from '@sockfilter/language';
import { type Chain, emptyChain, isBuiltinChain, type Policy } from '@sockfilter/table';
import { iptablesChainHelp } from './chainhelp.js';
import { parseChainName, parseNewChainName } from './chainname.js';
import { AUDIT, POLICY_HELP, readPolicy } from './policyword.js';

export const COUNTERS = /^\[(\d+):(\d+)\]$/;

interface ChainLine {
  readonly name: string;
  /** Undefined for `-`. */
  readonly policy: Policy | undefined;
  readonly packets: bigint;
}

function parsePolicy(
  name: string,
  word: Word | undefined,
  option: Word | undefined,
): Parsed<Policy | undefined> {
  if (!word) return bad('bad-line', 'a chain line needs a policy, or `-`');
  const at = { span: word.span };
  const { text } = word;
  if (text === '-' && !option) return good(undefined);
  if (!isBuiltinChain(name)) return bad('bad-line', 'a user chain has no policy: write `-`', at);
  const policy = readPolicy(text, option !== undefined);
  if (policy) return good(policy);
  if (option && readPolicy(text, false))
    return bad('bad-line', `\`${AUDIT}\` goes with DROP`, { span: option.span });
  return bad('bad-line', 'Bad policy name.', { ...at, help: POLICY_HELP });
}

/** What the line declares, or what is wrong with it. */
export function parseChainLine(words: readonly [Word, ...Word[]]): {
  readonly name: string;
  readonly chain: ChainLine | undefined;
  readonly diagnostic: Diagnostic | undefined;
} {
  const [first, ...others] = words;
  const [option, again] = others.filter((each) => each.text === AUDIT);
  const [policyWord, counterWord, excess] = others.filter((each) => each.text !== AUDIT);
  const more = excess ?? again;
  const word = partOf(first, 1);
  const fail = (diagnostic: Diagnostic) => ({ name: word.text, chain: undefined, diagnostic });
  const name = isBuiltinChain(word.text) ? parseChainName(word) : parseNewChainName(word);
  if (!name.ok) return fail(diagnose(name.problem, first.span));
  const help = policyWord?.text === '-' ? undefined : iptablesChainHelp(word.text);
  if (help !== undefined) {
    const message = `table \`socket\` has no chain \`${word.text}\``;
    return fail(diagnose({ code: 'bad-chain', message, help }, word.span));
  }
  const policy = parsePolicy(name.value, policyWord, option);
  if (!policy.ok) return fail(diagnose(policy.problem, first.span));
  const counter = counterWord ? COUNTERS.exec(counterWord.text)?.[1] : '0';
  if (counterWord && counter === undefined) {
    const message = `invalid policy counters \`${counterWord.text}\``;
    return fail(diagnose({ code: 'bad-line', message }, counterWord.span));
  }
  if (more)
    return fail(
      diagnose({ code: 'bad-line', message: `bad argument \`${more.text}\`` }, more.span),
    );
  const packets = isBuiltinChain(name.value) ? BigInt(counter ?? '0') : 0n;
  const chain = { name: name.value, policy: policy.value, packets };
  return { name: name.value, chain, diagnostic: undefined };
}

/** The chain as the line has it, of the one that is known by its name. */
export function declaredChain(
  { name, policy, packets }: ChainLine,
  known: Chain | undefined,
): Chain {
  if (!known) return emptyChain(name, undefined);
  // As iptables-restore -n: a user chain that the file declares starts empty.
  const rules = isBuiltinChain(name) ? known.rules : [];
  return { ...known, policy: policy ?? known.policy, packets, rules };
}
