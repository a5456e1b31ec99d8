/**
 * A part that is compiled alone, and put among nodes that stand, says what the whole says: after any sequence of edits
 * every call comes to the same, and the header, the text and the counters are those of a table that is compiled anew.
 */
import { keptText, parseCommand, parseSave, printSave } from '@sockfilter/iptables';
import { applyEdit, isEdit, NO_NAMES } from '@sockfilter/language';
import { type Packet, type Table, TableError } from '@sockfilter/table';
import fc from 'fast-check';
import { originsAfter } from '../../packages/cli/src/origins.js';
import { planPart } from '../../packages/cli/src/partedit.js';
import { walkBlob } from '../../packages/kernel/src/blobwalk.js';
import {
  compileTable,
  decodeHeader,
  type Generation,
  makeGeneration,
  type StandingGeneration,
} from '../../packages/kernel/src/generation.js';
import { HOOKS, isNeeded } from '../../packages/kernel/src/hooks.js';
import { HEADER, NODES_PER_PAGE, PAGE_BYTES } from '../../packages/kernel/src/layout.js';
import { draftPart } from '../../packages/kernel/src/partchange.js';
import { encodeTraits, traitsOf } from '../../packages/kernel/src/traits.js';
import { propertyRuns } from '../harness/length.js';

const GROUPS = [0, 3, 4, 5, 6, 0x30003, 0x30004];

const groupWords = fc.constantFrom(
  ...GROUPS.flatMap((id) => [`-m cgroup --id ${id}`, `-m cgroup --id ${id}`]),
  '',
  '-m cgroup --id 4:5',
  '-m cgroup ! --id 3',
  '-m cgroup --id 3 -m comment --comment "of -m cgroup --id 4 "',
);
const matchWords = fc.constantFrom(
  '',
  '-d 10.0.0.1',
  '-d 10.0.0.0/24',
  '-p tcp --dport 80',
  '-p tcp --dport 80:90',
  '-p udp',
  '-m owner --uid-owner 7',
);
const targetWords = fc.constantFrom(
  '-j ACCEPT',
  '-j ACCEPT',
  '-j DROP',
  '-j REJECT --reject-with EACCES',
  '-j LOG',
  '-j TRACE',
  '-j U',
  '-g V',
  '',
);
const rule = fc.tuple(groupWords, matchWords, targetWords).map((words) => words.join(' '));
const chain = fc.constantFrom('BIND', 'CONNECT', 'CONNECT', 'CONNECT');
const line = fc.tuple(chain, rule).map(([name, words]) => `-A ${name} ${words}`);

const number = fc.integer({ min: 1, max: 6 });
const command = fc.oneof(
  line,
  fc.tuple(chain, number, rule).map(([name, n, words]) => `-I ${name} ${n} -c 7 9 ${words}`),
  fc.tuple(chain, rule).map(([name, words]) => `-D ${name} ${words}`),
  fc.tuple(chain, number).map(([name, n]) => `-D ${name} ${n}`),
  fc.tuple(chain, number, rule).map(([name, n, words]) => `-R ${name} ${n} ${words}`),
);

const parse = (text: string): Table => {
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  return table;
};

/** The rules sorted by chains, as the text has them. */
const tableOf = (lines: readonly string[]) =>
  parse(
    [
      '*socket',
      ':U - [0:0]',
      ':V - [0:0]',
      ...lines,
      '-A U -p tcp -j RETURN',
      '-A U -j DROP',
      '-A V -d 10.0.0.1 -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n'),
  );

const PLACE = { sequence: 1, idSlot: 0, idEpoch: 1, programs: 0, slots: [], setSlots: [] };

function makeWhole(table: Table): Generation {
  const compiled = compileTable(table);
  const { hasParts } = compiled;
  return makeGeneration(compiled, {
    ...PLACE,
    text: printSave(table),
    cpus: 2,
    traits: encodeTraits(traitsOf(table, { isPrinted: true, hasParts })),
    deadline: 0n,
    origins: [],
    follows: true,
  });
}

const pageOf = ({ pages }: Generation, page: number) =>
  pages.get(page) ?? new Uint8Array(PAGE_BYTES);

function bytesOf(generation: Generation, first: number, bytes: number): Uint8Array {
  const all = new Uint8Array(Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
  for (let at = 0; at < bytes; at += PAGE_BYTES)
    all.set(pageOf(generation, first + at / PAGE_BYTES), at);
  return all.slice(0, bytes);
}

function standing(generation: Generation): StandingGeneration {
  const page = pageOf(generation, 0);
  const header = decodeHeader(page);
  const words = new Uint32Array(bytesOf(generation, 1, 8 * header.nodes).buffer);
  return { page, header, words };
}

const textOf = (generation: Generation) =>
  Buffer.from(
    bytesOf(generation, generation.header.textPage, generation.header.textBytes),
  ).toString();

const originsOf = (generation: Generation) => {
  const { originPage, counters } = generation.header;
  return [...new Uint32Array(bytesOf(generation, originPage, 4 * counters).buffer)].map((origin) =>
    origin === 0 ? undefined : origin - 1,
  );
};

const PACKETS: readonly Packet[] = GROUPS.concat(7, 0x40000).flatMap((group) =>
  (['BIND', 'CONNECT'] as const).flatMap((name) =>
    [0x0a000001n, 0x0a000002n, 0x0b000000n].flatMap((destination) =>
      [
        { protocol: 6, destinationPort: 80, uid: 7 },
        { protocol: 6, destinationPort: 90, uid: 0 },
        { protocol: 17, destinationPort: 80, uid: 0 },
      ].map(
        (rest): Packet => ({
          chain: name,
          group,
          family: 4,
          source: 0n,
          destination,
          sourcePort: 0,
          flags: rest.protocol === 6 && name === 'CONNECT' ? 2 : 0,
          gid: 0,
          mark: 0,
          ...rest,
        }),
      ),
    ),
  ),
);

const walk = ({ header, words }: StandingGeneration) =>
  PACKETS.map((packet) => {
    const { counted, ...rest } = walkBlob(
      { words, first: NODES_PER_PAGE, entries: header.entries },
      packet,
    );
    return { ...rest, counted: [...counted].sort((a, b) => a - b) };
  });

const FACTS = [
  HEADER.groupChains,
  HEADER.ownerChains,
  HEADER.markChains,
  HEADER.leadingChains,
  HEADER.refusingChains,
  ...[0, 1, 2, 3, 4].map((n) => HEADER.details + 4 * n),
  HEADER.rules,
  HEADER.counters,
  HEADER.denyUnseen,
];
const factsOf = ({ page }: StandingGeneration) => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  return FACTS.map((at) => view.getUint32(at, true));
};

/** The edited table, and whether a part was enough. */
function step(
  before: Table,
  old: StandingGeneration,
  text: string,
): { readonly table: Table; readonly next: Generation; readonly isPart: boolean } | undefined {
  const { command: parsed, diagnostics } = parseCommand(
    [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word),
    { names: NO_NAMES, groups: [] },
  );
  if (!parsed || !isEdit(parsed)) throw new TypeError(`${text}: ${diagnostics[0]?.message}`);
  const kept = keptText(printSave(before));
  const plan = () => planPart({ kept, head: parse(kept.head), totals: [] }, parsed, parse);
  let table: Table;
  try {
    table = applyEdit(before, parsed);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    // It is refused alike, or left to who has the whole table.
    try {
      expect(plan()).toBeUndefined();
    } catch (refusal) {
      expect(refusal).toEqual(error);
    }
    return undefined;
  }
  const change = plan();
  const draft = change && draftPart(old, { ...change, text: Buffer.from(change.text) });
  const whole = makeWhole(table);
  if (!change || !draft) return { table, next: whole, isPart: false };
  expect(change.text).toBe(printSave(table));
  const next = draft.lay(PLACE);
  expect(textOf(next)).toBe(printSave(table));
  expect(originsOf(next)).toEqual(originsAfter(parsed, before, table));
  for (const hook of HOOKS)
    expect([hook.name, draft.needs(hook)]).toEqual([hook.name, isNeeded(hook, table)]);
  const [edited, anew] = [standing(next), standing(whole)];
  expect(walk(edited)).toEqual(walk(anew));
  expect(factsOf(edited)).toEqual(factsOf(anew));
  return { table, next, isPart: true };
}

it('makes what a compiling of the whole makes', () => {
  let [parts, all] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(command, { minLength: 4, maxLength: 8 }),
      (lines, commands) => {
        let table = tableOf(lines);
        let old = standing(makeWhole(table));
        for (const each of commands) {
          const stepped = step(table, old, each);
          if (!stepped) continue;
          table = stepped.table;
          old = standing(stepped.next);
          all++;
          if (stepped.isPart) parts++;
        }
      },
    ),
    { numRuns: propertyRuns(120) },
  );
  expect(parts / all).toBeGreaterThan(0.2);
});
