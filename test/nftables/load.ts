/** Gives the corpus to the real nft, and reads back what it makes of it. */
import { applyText, list, NftError, type ParsedDocument, type RunOptions } from 'nftables-json';
import { NetworkNamespace } from '../harness/netns.js';
import type { Group } from './corpus.js';

/** A namespace without rules, and how nft runs in it. */
export interface Ruleset {
  readonly namespace: NetworkNamespace;
  readonly options: RunOptions;
}

export async function emptyRuleset(): Promise<Ruleset> {
  const namespace = await NetworkNamespace.create([]);
  return {
    namespace,
    options: { command: ['nsenter', `--net=${namespace.path}`, 'nft'] },
  };
}

export function rulesOf(group: Group): readonly string[] {
  return group.rules
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** What nft or the kernel would not have, and why. */
export interface Refusal {
  readonly text: string;
  readonly reason: string;
}

export interface Loaded extends ParsedDocument {
  readonly refused: readonly Refusal[];
}

/** Loads as many of the group's rules as are taken: a first run tells which are not. */
export async function loadGroup(ruleset: Ruleset, group: Group): Promise<Loaded> {
  const head = [
    `table ${group.family} t {`,
    ...(group.setup ?? '').split('\n'),
    `chain c { ${group.hook ?? ''} }`,
    '}',
  ];
  let rules = rulesOf(group);
  const refused: Refusal[] = [];
  for (;;) {
    const lines = [
      ...head,
      ...rules.map((rule) =>
        rule.startsWith('add ') && !rule.startsWith('add @')
          ? rule
          : `add rule ${group.family} t c ${rule}`,
      ),
    ];
    try {
      await applyText(`${lines.join('\n')}\n`, ruleset.options);
      return { ...(await list(ruleset.options)), refused };
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      const reasons = new Map(
        error.messages.flatMap(({ line, text }) =>
          line !== undefined && line > head.length ? [[line - head.length - 1, text]] : [],
        ),
      );
      if (reasons.size === 0) throw error;
      // The kernel validates chains as a whole: after its first refusal it refuses what follows too.
      const first = Math.min(...reasons.keys());
      for (const at of reasons.keys())
        if (at !== first && /^Could not process/.test(reasons.get(at) ?? '')) reasons.delete(at);
      for (const [at, reason] of reasons) refused.push({ text: rules[at] ?? '', reason });
      rules = rules.filter((_, at) => !reasons.has(at));
    }
  }
}

/** Loads a table as a whole, or says why not. */
export async function loadTable(ruleset: Ruleset, text: string): Promise<ParsedDocument | Refusal> {
  try {
    await applyText(text, ruleset.options);
  } catch (error) {
    if (!(error instanceof NftError)) throw error;
    return { text, reason: error.message };
  }
  return list(ruleset.options);
}
