/** How the policy of a chain is written: a word, and the option of one that refuses. */
import type { Policy } from '@sockfilter/table';

interface Spelling {
  readonly word: string;
  readonly audited: boolean;
}

const SPELLINGS: Readonly<Record<Policy, Spelling>> = {
  ACCEPT: { word: 'ACCEPT', audited: false },
  DROP: { word: 'DROP', audited: false },
  AUDIT: { word: 'DROP', audited: true },
};

const isPolicy = (name: string): name is Policy => Object.hasOwn(SPELLINGS, name);

const POLICIES: readonly Policy[] = Object.keys(SPELLINGS).filter(isPolicy);

/** The words that a policy can have. */
export const POLICY_WORDS: readonly string[] = [
  ...new Set(POLICIES.map((policy) => SPELLINGS[policy].word)),
];

/** What to write, for messages. */
export const POLICY_HELP = `a policy is ${POLICY_WORDS.join(' or ')}`;

/** The option that an audited policy has. */
export const AUDIT = '--audit';

/** The policy that is written so; undefined if none is. */
export function readPolicy(word: string, audited: boolean): Policy | undefined {
  return POLICIES.find((policy) => {
    const spelling = SPELLINGS[policy];
    return spelling.word === word && spelling.audited === audited;
  });
}

/** `DROP --audit`, with `between` before the option. */
export function printPolicy(policy: Policy, between = ''): string {
  const { word, audited } = SPELLINGS[policy];
  return `${word}${between}${audited ? ` ${AUDIT}` : ''}`;
}
