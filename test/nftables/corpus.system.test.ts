/**
 * Everything that the installed nft prints for the corpus parses, prints the same, and is taken back into
 * the same ruleset.
 */
import {
  apply,
  check,
  documentSchema,
  type Item,
  list,
  objectsOf,
  parseDocument,
  printDocument,
  printRule,
} from 'nftables-json';
import { NetworkNamespace } from '../harness/netns.js';
import { describeNft } from '../harness/nft.js';
import { GROUPS, TABLES } from './corpus.js';
import { emptyRuleset, loadGroup, loadTable, type Refusal, type Ruleset, rulesOf } from './load.js';
import { LOSSES } from './losses.js';

/** What an nft or a kernel may not have. More than these would be a fault of the corpus. */
const REFUSAL =
  /^(Could not process rule: (No such file or directory|Operation not supported)|syntax error|Could not parse|No symbol type|cgroupv2 path fails|meta nfproto is only|.*not supported)/;

/** The items without what differs between two listings of the same. */
function comparable(items: readonly Item[]): readonly string[] {
  return items
    .map((item) =>
      JSON.stringify(item, (key, value: unknown) => {
        if (key === 'handle' || key === 'expires') return undefined;
        const sorted = key === 'set' && Array.isArray(value);
        return sorted ? value.map((part) => JSON.stringify(part)).sort() : value;
      }),
    )
    .sort();
}

interface Body {
  readonly name?: string;
  readonly table?: string;
}

const bodyOf = (item: Item): Body => Object.values(item)[0];

/** The items that nft can take back: not those it loses, what is in them, and rules that refer to them. */
function kept(items: readonly Item[]): readonly Item[] {
  const lost = new Set(items.filter((item) => LOSSES.some(({ of }) => of(item))));
  const names = [...lost].flatMap((item) => bodyOf(item).name ?? []);
  return items.filter((item) => {
    if (lost.has(item) || names.includes(bodyOf(item).table ?? '')) return false;
    const text = JSON.stringify(item);
    return !names.some((name) => text.includes(`"${name}"`) || text.includes(`"@${name}"`));
  });
}

async function tryAgain(items: readonly Item[]): Promise<void> {
  const again = await emptyRuleset();
  try {
    const given = kept(items);
    await apply({ nftables: given }, again.options);
    const { document } = await list(again.options);
    expect(comparable(document.nftables)).toEqual(comparable(given));
  } finally {
    await again.namespace.remove();
  }
}

/** The rules as nft prints them, by handle; what goes over several lines is left out. */
async function printedRules({ namespace }: Ruleset): Promise<ReadonlyMap<number, string>> {
  const text = await namespace.run('nft', '-a', 'list', 'ruleset');
  const lines = text.matchAll(/^\t\t(\S.*[^{}]) # handle (\d+)$/gm);
  return new Map([...lines].map(([, rule = '', handle]) => [Number(handle), rule]));
}

const told: Refusal[] = [];

describeNft('the corpus', () => {
  afterAll(async () => {
    await NetworkNamespace.removeAll();
    if (told.length > 0)
      console.info(`not here: ${told.map(({ text, reason }) => `${text} (${reason})`).join('; ')}`);
  });

  test.each(GROUPS)('$name', async (group) => {
    const ruleset = await emptyRuleset();
    const { document, unknown, refused } = await loadGroup(ruleset, group);
    const printed = await printedRules(ruleset);
    await ruleset.namespace.remove();
    told.push(...refused);
    for (const { reason } of refused) expect(reason).toMatch(REFUSAL);
    expect(refused.length).toBeLessThan(rulesOf(group).length / 2);
    expect(unknown).toEqual([]);
    expect(parseDocument(printDocument(document)).document).toEqual(document);
    const ours = objectsOf(document, 'rule').filter(({ handle }) => printed.has(handle ?? 0));
    expect(ours.map(printRule)).toEqual(ours.map(({ handle }) => printed.get(handle ?? 0)));
    expect(ours.length + printed.size).toBe(2 * printed.size);
    await tryAgain(document.nftables);
  });

  test.each(TABLES)('$name', async ({ text }) => {
    const ruleset = await emptyRuleset();
    const loaded = await loadTable(ruleset, text);
    await ruleset.namespace.remove();
    if ('reason' in loaded) {
      told.push(loaded);
      expect(loaded.reason).toContain('No such file or directory');
      return;
    }
    expect(loaded.unknown).toEqual([]);
    expect(check(documentSchema, loaded.document).ok).toBe(true);
    await tryAgain(loaded.document.nftables);
  });
});
