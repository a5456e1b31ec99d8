/**
 * The instructions of every program as text, so that a change of them is seen in review: packages/kernel/src/program/listings.
 * `npm run goldens` writes it anew.
 *
 * Jumps name labels, and so a line that is put in changes no other. Blocks, which go from a label to the next, that stand so in
 * an earlier listing are named by the first label and the last: `as in inet4_bind: walk.page to walk.take`.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, disassemble, type Item, label, type ProgramSpec } from '@sockfilter/bpf';
import { placeLabels } from '../../packages/bpf/src/assemble.js';
import { HOOKS } from '../../packages/kernel/src/hooks.js';
import { SAMPLE_OFFSETS } from '../../packages/kernel/src/offsets.js';

const FOLDER = join(__dirname, '../../packages/kernel/src/program/listings');
/** What differs where the verifier knows no may_goto. */
const OLDER = 'without_may_goto';

interface Block {
  readonly label: string;
  readonly lines: string[];
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

/** The maps that a program names, each at the place that stands for its descriptor. */
function mapsOf(items: readonly Item[]): readonly string[] {
  const names = items.flatMap((item) =>
    item.kind === 'loadMap' && typeof item.map === 'string' ? [item.map] : [],
  );
  return [...new Set(names)];
}

/** What the bytes of a program say, its functions behind it. */
function blocksOf({ items, functions = [] }: ProgramSpec): readonly Block[] {
  const all = [...items, ...functions.flatMap((each) => [label(each.name), ...each.items])];
  const maps = mapsOf(all);
  const labels = new Map<number, string[]>();
  for (const [name, slot] of placeLabels(all))
    labels.set(slot, [...(labels.get(slot) ?? []), name]);

  const map = (_: string, fd: string) => `[${found(maps[Number(fd)], `map ${fd}`)}]`;
  const jump = (_: string, verb: string, slot: string) =>
    `${verb} ${found(labels.get(Number(slot))?.[0], `label at ${slot}`)}`;
  const blocks: Block[] = [{ label: 'entry', lines: [] }];
  for (const line of disassemble(assemble(all, (name) => maps.indexOf(name))).split('\n')) {
    const [slot, text] = line.split(/: (.*)/);
    for (const name of labels.get(Number(slot)) ?? []) blocks.push({ label: name, lines: [] });
    const named = found(text, 'instruction').replace(/\[fd:(\d+)\]/, map);
    blocks.at(-1)?.lines.push(named.replace(/(goto|call) (\d+)$/, jump));
  }
  return blocks;
}

/** Blocks that follow each other in an earlier listing. */
interface Run {
  readonly owner: string;
  readonly from: string;
  readonly to: string;
  readonly last: number;
}

const printRun = ({ owner, from, to }: Run) =>
  `as in ${owner}: ${from}${from === to ? '' : ` to ${to}`}`;

class Listings {
  readonly #places = new Map<string, { readonly owner: string; readonly at: number }>();

  /** The blocks of the program: texts of those that are new, and runs of the others. */
  add(owner: string, program: ProgramSpec): readonly (string | Run)[] {
    const parts: (string | Run)[] = [];
    for (const [at, { label: name, lines }] of blocksOf(program).entries()) {
      const text = [`${name}:`, ...lines.map((line) => `  ${line}`)].join('\n');
      const place = this.#places.get(text);
      const run = parts.at(-1);
      if (!place) {
        this.#places.set(text, { owner, at });
        parts.push(text);
      } else if (typeof run === 'object' && run.owner === place.owner && run.last + 1 === place.at)
        parts.splice(-1, 1, { ...run, to: name, last: place.at });
      else parts.push({ owner: place.owner, from: name, to: name, last: place.at });
    }
    return parts;
  }
}

/** What the kernel is told of a program beside its instructions. */
const printHead = (spec: ProgramSpec) => {
  const { type, expectedAttachType, attachFunction, license, flags = 0 } = spec;
  return `# ${[type, expectedAttachType, attachFunction].filter(Boolean).join(' ')}, ${license}, flags ${flags}`;
};

const printPart = (part: string | Run) => (typeof part === 'string' ? part : printRun(part));

/** The listings by their names. */
function listAll(): ReadonlyMap<string, string> {
  const all = new Listings();
  const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
  const listed = HOOKS.map(({ name, program }): [string, string] => {
    const spec = program(SAMPLE_OFFSETS);
    return [name, text([printHead(spec), ...all.add(name, spec).map(printPart)])];
  });
  const older = HOOKS.flatMap(({ name, program }) => {
    const parts = all.add(OLDER, program({ ...SAMPLE_OFFSETS, mayGoto: false }));
    const own = parts.filter((part) => typeof part === 'string' || part.owner === OLDER);
    return [`# ${name}`, ...own.map(printPart)];
  });
  return new Map([...listed, [OLDER, text(older)]]);
}

test('the programs are as they are listed', () => {
  const now = listAll();
  const files = readdirSync(FOLDER);
  if (process.env.UPDATE === '1') {
    for (const file of files) rmSync(join(FOLDER, file));
    for (const [name, text] of now) writeFileSync(join(FOLDER, `${name}.txt`), text);
  } else {
    expect(files.toSorted()).toEqual([...now.keys()].map((name) => `${name}.txt`).toSorted());
    for (const [name, text] of now)
      expect(readFileSync(join(FOLDER, `${name}.txt`), 'utf8')).toBe(text);
  }
});
