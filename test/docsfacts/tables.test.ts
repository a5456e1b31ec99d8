/**
 * What the documents say in tables, numbers and names is what the code has: each row of a table that lists
 * all of something is held against the rows of the code, both ways.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_LIMITS, MOST_WAYS } from '@sockfilter/diagram';
import { eventJson, type RawEvent, READER_SLOTS } from '@sockfilter/events';
import { COMMAND_SPELLINGS, LOG_LEVELS, SYNTAX, TARGET_SYNTAX } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { FORMATS, REGION_KEYS } from '@sockfilter/policy';
import {
  BUILTIN_CHAINS,
  CHAINS,
  contains,
  DEFAULT_MAXELEM,
  isBuiltinChain,
  MATCHES,
  MAX_CHAIN_DEPTH,
  MAX_GROUP_ID,
  MOST_ELEMENTS,
  PROTOCOL,
  protocolName,
  REJECT_ERRNO,
  type Target,
} from '@sockfilter/table';
import { MOST_LAYERS } from '../../packages/diagram/src/layers.js';
import { RULES_EACH } from '../../packages/diagram/src/limit.js';
import { MOST_IN_TURN } from '../../packages/diagram/src/walk.js';
import {
  UNAVAILABLE_MATCHES,
  UNAVAILABLE_OPTIONS,
  UNAVAILABLE_TARGETS,
} from '../../packages/iptables/src/extensions.js';
import { LEAST_CGROUPS } from '../../packages/kernel/src/capacity.js';
import { HOOKS } from '../../packages/kernel/src/hooks.js';
import {
  MAX_PATHS,
  MAX_PATTERNS_IN_FOLDER,
  MAX_REMOVED_LEVELS,
  MAX_RULES,
  MAX_SETS,
  MAX_STATES,
  MAX_STEPS,
  MOST_BUCKETS_ENTRIES,
  PAGE_BYTES,
  PATH_BYTES,
  STATE_BYTES,
  STATE_SLOTS,
} from '../../packages/kernel/src/layout.js';
import { MAPS } from '../../packages/kernel/src/mapnames.js';
import { MAX_NAME, SPARE_PIN } from '../../packages/kernel/src/pins.js';
import { SELECTORS } from '../../packages/nftables/src/row.js';
import { EXTENSION } from '../../packages/nftables/src/selector.js';
import { ARCHITECTURE } from '../harness/architecture.js';
import { flagsIn, quoted, rowsOf, section } from '../harness/documentfacts.js';
import { REPOSITORY, readDocument } from '../harness/documents.js';

const sorted = (words: Iterable<string>) => [...new Set(words)].sort();
const english = (number: number) => number.toLocaleString('en');

describe('docs/kernel.md', () => {
  const rows = rowsOf(section('docs/kernel.md', 'Hooks'));

  test('has every hook, with the chains that it feeds and whether it is always attached', () => {
    const said = rows.flatMap(([names = '', feeds = '', attached = '']) =>
      quoted(names).map((name) => ({
        name,
        chains: sorted(feeds.match(/\b[A-Z]{4,}\b/g) ?? []).filter(isBuiltinChain),
        always: attached.startsWith('always'),
      })),
    );
    expect(said).toEqual(
      HOOKS.map(({ name, chains, needed }) => ({
        name,
        chains: sorted(chains),
        always: needed === 'always',
      })),
    );
  });

  test('has every pin', () => {
    const said = rowsOf(section('docs/kernel.md', 'Maps')).flatMap(([pin = '']) => quoted(pin));
    expect(sorted(said)).toEqual(
      sorted([...Object.values(MAPS), 'generation-N', SPARE_PIN, 'next/']),
    );
  });

  test('has every limit, as it is', () => {
    expect(rowsOf(section('docs/kernel.md', 'Limits'))).toEqual([
      ['rules of a table', english(MAX_RULES)],
      ['steps of one walk, policy included', english(MAX_STEPS - 1)],
      ['how deep chains call each other', english(MAX_CHAIN_DEPTH)],
      [
        'ways that one rule is taken apart into by what is told of its destinations',
        english(MOST_WAYS),
      ],
      [
        "[rewritings](architecture.md#calls-that-are-rewritten) with which calls come to the places of a table's chains, all together",
        english(DEFAULT_LIMITS.rewritings),
      ],
      ['rewritings of one call, one after the other', english(MOST_IN_TURN)],
      ['edges of the finished decision diagrams', english(DEFAULT_LIMITS.edges)],
      ['edges while one is built', english(DEFAULT_LIMITS.poolEdges)],
      [
        'of those, where [layers](architecture.md#sets-that-explode) are tried, and slices for answers',
        `${english(DEFAULT_LIMITS.layerEdges)}, and as many more for each ${english(RULES_EACH)} rules`,
      ],
      ['layers of a chain', english(MOST_LAYERS)],
      ['rules of a chain in layers, each where it is called', english(DEFAULT_LIMITS.entries)],
      ['steps to build it', english(DEFAULT_LIMITS.steps)],
      ['counters in the lists of its terminals', english(DEFAULT_LIMITS.counted)],
      ['diagrams that only count', english(DEFAULT_LIMITS.countingDiagrams)],
      [
        'opaque tests, of named sets as well, that one call may be asked one after the other in a diagram',
        english(DEFAULT_LIMITS.asked),
      ],
      [
        'control groups with an entry',
        `one for each 16 KiB of memory, ${english(LEAST_CGROUPS)} at least`,
      ],
      ['removed control groups above a socket', english(MAX_REMOVED_LEVELS)],
      ['patterns in one folder', english(MAX_PATTERNS_IN_FOLDER)],
      ['registered paths', english(MAX_PATHS)],
      ['bytes of a registered path', english(PATH_BYTES - 2)],
      ['bytes of the escaped path of `--root`', english(MAX_NAME)],
      ['tests of a table with a state', english(MAX_STATES)],
      [
        'entries of buckets that the tests of a table can have, of one group',
        english(MOST_BUCKETS_ENTRIES),
      ],
      ['named sets of a table', english(MAX_SETS)],
      [
        'elements of a set',
        `${english(MOST_ELEMENTS)}, and ${english(DEFAULT_MAXELEM)} if its \`maxelem\` is not said`,
      ],
      ['readers of events', english(READER_SLOTS)],
      ['group ids', `1 to ${english(MAX_GROUP_ID)}`],
    ]);
  });

  test('has the sizes of a page and of a state', () => {
    expect(readDocument('docs/kernel.md')).toContain(`pages of ${PAGE_BYTES / 1024} KiB`);
    expect(readDocument('docs/kernel.md')).toContain(
      `${STATE_BYTES} bytes for each of ${english(STATE_SLOTS)} slots`,
    );
  });
});

describe('docs/language.md', () => {
  const matches = rowsOf(section('docs/language.md', 'Matches'));

  test('has every option of every match, and no other', () => {
    const said = matches.map(([names = '', options = '']) => ({
      matches: names === '(none)' ? ['ip'] : quoted(names),
      options: flagsIn(options),
    }));
    for (const name of Object.keys(MATCHES).filter((each) => each in SYNTAX)) {
      const { options, sugar = {} } = SYNTAX[name as keyof typeof SYNTAX];
      const own = said.filter((row) => row.matches.includes(name)).flatMap((row) => row.options);
      const needed = Object.values(options).map(({ short, long }) =>
        short === '4' || short === '6' ? undefined : long[0],
      );
      const words = needed.filter((each) => each !== undefined);
      expect({ name, lacks: words.filter((word) => !own.includes(word)) }).toEqual({
        name,
        lacks: [],
      });
      const known = [...Object.values(options).flatMap(({ long }) => long), ...Object.keys(sugar)];
      const shared = said
        .filter((row) => row.matches.includes(name) && row.matches.length === 1)
        .flatMap((row) => row.options);
      expect({ name, odd: shared.filter((word) => !known.includes(word)) }).toEqual({
        name,
        odd: [],
      });
    }
  });

  test('says which options take no `!`', () => {
    const [sentence = ''] = section('docs/language.md', 'Matches').split(' Numbers are');
    const named = Object.entries(MATCHES).flatMap(([match, { options }]) =>
      Object.entries(options).flatMap(([option, { negatable }]) => {
        const { short, long = [] } = SYNTAX[match as keyof typeof SYNTAX].options[option] ?? {};
        const word = short === undefined ? `--${long[0]}` : `-${short}`;
        const isNamed = quoted(sentence).some((each) => each === word || each === match);
        const isDay = /days$/.test(option);
        return negatable !== (isNamed && !isDay) ? [] : [`${match} ${option}`];
      }),
    );
    expect(named).toEqual([]);
  });

  test('has every target with its options', () => {
    const rows = rowsOf(section('docs/language.md', 'Targets'));
    const said = rows.flatMap(([target = '']) => quoted(target)).join('\n');
    for (const [kind, { options }] of Object.entries(TARGET_SYNTAX)) {
      if (kind === 'jump' || kind === 'goto') continue;
      expect(said).toMatch(new RegExp(`^-j ${kind.toUpperCase()}\\b`, 'm'));
      for (const { long } of Object.values(options)) expect(said).toContain(`--${long[0]}`);
    }
    const [, rejects = ''] = rows.find(([target]) => target?.includes('REJECT')) ?? [];
    expect(sorted(rejects.match(/\bE[A-Z]+\b/g) ?? [])).toEqual(sorted(Object.keys(REJECT_ERRNO)));
    const [, logs = ''] = rows.find(([target]) => target?.includes('-j LOG')) ?? [];
    expect(LOG_LEVELS.filter((level) => !logs.includes(level))).toEqual([]);
  });

  test('has every command of tables', () => {
    const said = new Set(
      flagsIn(
        section('docs/language.md', 'The language') + section('docs/language.md', 'Table commands'),
      ),
    );
    const all = COMMAND_SPELLINGS.flatMap(({ long }) => long.slice(0, 1));
    expect(all.length).toBeGreaterThan(12);
    expect(all.filter((name) => !said.has(name))).toEqual([]);
  });

  test('says what is not there yet', () => {
    const [, told = ''] =
      /Not there yet are([\s\S]*?)\.\n/.exec(
        section('docs/language.md', 'Differences from iptables'),
      ) ?? [];
    const later = (rows: Readonly<Record<string, { readonly reason: string }>>) =>
      Object.entries(rows).flatMap(([name, { reason }]) =>
        reason.startsWith('sockfilter does not have it yet') ? [name] : [],
      );
    expect(sorted(flagsIn(told))).toEqual(sorted(later(UNAVAILABLE_OPTIONS)));
    const words = told.replace(/`--[a-z-]+`/g, '').match(/\b\w+\b/g) ?? [];
    const names = words.filter((word) => !/^(the|matches|and|targets)$/.test(word));
    expect(sorted(names)).toEqual(
      sorted([...later(UNAVAILABLE_MATCHES), ...later(UNAVAILABLE_TARGETS)]),
    );
  });

  test('has every exit status', () => {
    const said = rowsOf(section('docs/language.md', 'Exit status')).map(([status]) => status);
    expect(said).toEqual(Object.values(EXIT).map(String));
  });

  test('has every variable that the command reads', () => {
    const sources = readdirSync(join(REPOSITORY, 'packages'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /^[\w-]+\/src\/.*\.ts$/.test(path) && !/test\.ts$|\/testing\//.test(path))
      .map((path) => readDocument(`packages/${path}`));
    const readThere = sources.flatMap((text) =>
      [...text.matchAll(/process\.env\.(SOCKFILTER_\w+)/g)].map(([, name = '']) => name),
    );
    const said = rowsOf(section('docs/language.md', 'Environment')).flatMap(([names = '']) =>
      quoted(names),
    );
    expect(sorted(said.filter((name) => name !== 'NO_COLOR'))).toEqual(sorted(readThere));
  });
});

describe('docs/ci.md', () => {
  test('has every format, and every field of a region', () => {
    const formats = rowsOf(section('docs/ci.md', 'Formats')).flatMap(([name = '']) => quoted(name));
    expect(sorted(formats)).toEqual(sorted(FORMATS));
    const fields = rowsOf(section('docs/ci.md', 'Regions')).flatMap(([name = '']) => quoted(name));
    expect(sorted(fields)).toEqual(sorted(REGION_KEYS));
  });
});

describe('docs/semantics.md', () => {
  test('has the protocols that each chain sees', () => {
    const rows = rowsOf(section('docs/semantics.md', 'What can happen at all'));
    const said = rows.flatMap(([chains = '', protocols = '']) =>
      chains
        .split(', ')
        .map((chain): [string, readonly string[]] => [chain, sorted(protocols.split(', '))]),
    );
    const protocols = Object.values(PROTOCOL);
    const seen = BUILTIN_CHAINS.map((chain): [string, readonly string[]] => {
      const bound = CHAINS[chain].bounds.protocol;
      if (!bound) throw new Error(`${chain} sees every protocol`);
      const names = protocols.filter((number) => contains(bound.set, BigInt(number)));
      return [chain, sorted(names.map(protocolName))];
    });
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(seen));
  });
});

describe('docs/operations.md', () => {
  test('has the unit that is packed', () => {
    const [, shown] = /```ini\n([\s\S]*?)```/.exec(readDocument('docs/operations.md')) ?? [];
    const packed = readDocument('packages/cli/systemd/sockfilter.service');
    expect(shown).toBe(packed.replace(/^#.*\n/gm, ''));
  });
});

describe('docs/interop.md', () => {
  test('has every key of an expression that nft has not', () => {
    const [, keys = ''] =
      /with the KEY([\s\S]*?); REJECT is/.exec(section('docs/interop.md', 'Tables as JSON')) ?? [];
    const said = quoted(keys).filter((word) => /^[a-z_]+$/.test(word));
    const known = SELECTORS.filter((each) => each.startsWith(`${EXTENSION} `));
    expect(sorted(said)).toEqual(sorted(known.map((each) => each.slice(EXTENSION.length + 1))));
  });
});

describe('docs/events.md', () => {
  const event: RawEvent = {
    kind: 'log',
    errno: 0,
    counter: 0,
    sequence: 1,
    uptime: 0n,
    chain: 'CONNECT',
    packet: undefined,
    task: { pid: 1, tid: 1, comm: 'x' },
    uid: 0,
    gid: 0,
    group: 0,
    cgroup: 1n,
    netns: 1n,
    socket: 1n,
  };

  test('has every member of a line', () => {
    const rows = rowsOf(section('docs/events.md', 'JSON'));
    const said = rows.flatMap(([names = '']) => quoted(names));
    const holders = () => [{ pid: 1, comm: 'x' }];
    const resolution = { time: 0n, text: '', groups: [], cgroup: undefined, holders };
    const targets: readonly Target[] = [
      { kind: 'log', prefix: 'x', level: 4, uid: false },
      { kind: 'nflog', prefix: 'x', group: 1 },
    ];
    const lines = targets.map((target) => {
      const rule = { matches: [], target, packets: 0n };
      const chain = { name: 'CONNECT', policy: 'ACCEPT', packets: 0n, rules: [rule] } as const;
      return eventJson(event, { ...resolution, owner: { chain, rule, number: 1 } });
    });
    const refusal = eventJson({ ...event, kind: 'refused' }, { ...resolution, owner: undefined });
    expect(sorted(said)).toEqual(sorted([...lines, refusal].flatMap((line) => Object.keys(line))));
  });
});

describe('docs/architecture.md and CONTRIBUTING.md', () => {
  const { arrows, restricted } = ARCHITECTURE;
  const packages = Object.keys(arrows).map((name): [string, readonly string[]] => {
    const own = arrows[name] ?? [];
    if (own === 'everything') return [name, ['everything']];
    return [
      name,
      sorted([...own, ...(restricted['nftables-json']?.includes(name) ? ['nftables-json'] : [])]),
    ];
  });
  const drawn = Object.fromEntries(
    packages.map(([name, to]) => [name, to.length > 0 ? to : ['nothing']]),
  );

  test('draw the imports that there may be', () => {
    const rows = rowsOf(section('docs/architecture.md', 'Packages'));
    const table = rows.map(([name = '', , imports = '']): [string, readonly string[]] => [
      quoted(name)[0] ?? '',
      sorted(imports === 'all of them' ? ['everything'] : imports.split(', ')),
    ]);
    expect(Object.fromEntries(table)).toEqual(drawn);
    const graph = section('CONTRIBUTING.md', 'Layout').matchAll(
      /([\w-]+) +-> ([\w-]+(?:, [\w-]+)*)/g,
    );
    const lines = [...graph].map(([, from = '', to = '']): [string, readonly string[]] => [
      from,
      sorted(to.split(', ')),
    ]);
    const { nobody, ...others } = Object.fromEntries(lines);
    expect(others).toEqual(drawn);
    expect(nobody).toEqual(['cli']);
  });
});

describe('docs/architecture.md', () => {
  const sources = readdirSync(join(REPOSITORY, 'packages'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[\w-]+\/src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => ({ path, text: readDocument(`packages/${path}`) }));

  test('has every interpretation of the walk', () => {
    const rows = rowsOf(section('docs/architecture.md', 'One walk over rules'));
    const said = rows.flatMap(([file = '']) => quoted(file));
    const theirs = sources.filter(({ path, text }) =>
      path === 'diagram/src/walk.ts'
        ? false
        : /implements [\w, ]*Interpretation<|\binterpretation[<(]/.test(text),
    );
    expect(theirs).toHaveLength(said.length);
    for (const { path } of theirs)
      expect(said.some((each) => path.replace('/src/', '/').endsWith(each))).toBe(true);
  });

  test('names what is there', () => {
    const all = sources.map(({ text }) => text).join('\n');
    const names = quoted(readDocument('docs/architecture.md')).flatMap(
      (word) => /^([A-Za-z_]\w*)(\(.*\)|<.*>)?$/.exec(word)?.[1] ?? [],
    );
    const coded = names.filter(
      (name) => /[A-Z_]/.test(name) && /[a-z]|_/.test(name) && name !== 'NAME',
    );
    expect(coded.length).toBeGreaterThan(4);
    expect(coded.filter((name) => !new RegExp(`\\b${name}\\b`).test(all))).toEqual([]);
  });
});

describe('versions', () => {
  interface Manifest {
    readonly version: string;
    readonly engines: { readonly node: string };
    readonly dependencies: Readonly<Record<string, string>>;
  }
  const manifest = (path: string): Manifest => JSON.parse(readDocument(`${path}/package.json`));

  test('are those of the packages', () => {
    const { version, engines } = manifest('packages/cli');
    const node = engines.node.replace('>=', '');
    expect(readDocument('README.md')).toContain(`./sockfilter-${version}.tgz`);
    expect(readDocument('README.md')).toContain(`You need Node ${node} or later`);
    expect(readDocument('CONTRIBUTING.md')).toContain(`Node ${node} or later`);
    expect(readDocument('packages/cli/README.md')).toContain(`anywhere Node ${node} runs`);
    expect(readDocument('action.yml')).toContain(`default: '${node.split('.')[0]}'`);
    const library = manifest('packages/nftables-json');
    const [major] = /\d+/.exec(library.dependencies.zod ?? '') ?? [];
    expect(readDocument('packages/nftables-json/README.md')).toContain(
      `It needs Node ${library.engines.node.replace('>=', '')} or later and nothing but [zod](https://zod.dev) ${major}.`,
    );
    expect(Object.keys(library.dependencies)).toEqual(['zod']);
  });
});
