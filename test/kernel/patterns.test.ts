/** Patterns of paths: the program that sees mkdir, the scan of what is there, and the table agree. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { escapePath, type Group, groupAt, groupConflict } from '@sockfilter/table';
import fc from 'fast-check';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { endProcesses, Settler } from './processes/process.js';

const IDS = [3, 4, 5, 6];
/** Each id is refused with an errno of its own. */
const ERRNO = ['EHOSTUNREACH', 'EACCES', 'ECONNREFUSED', 'ENETUNREACH', 'ETIMEDOUT'];
const NUMBER: Readonly<Record<number, number>> = { 113: 0, 13: 3, 111: 4, 101: 5, 110: 6 };
const RULES = [0, ...IDS]
  .map((id, n) => `-A CONNECT -m cgroup --id ${id} -j REJECT --reject-with ${ERRNO[n]}\n`)
  .join('');

const letters = (most: number) =>
  fc
    .array(fc.constantFrom('a', 'b', '*', '\\', 'é'), { maxLength: most })
    .map((all) => all.join(''));
const patternName = fc
  .tuple(letters(2), letters(2))
  .map(([a, b]) => `${escapePath(a)}*${escapePath(b)}`);
const plainName = letters(4).filter((name) => name !== '');
const places = fc.constantFrom('', '/sub');

describeKernel('patterns', () => {
  let bed: Testbed;
  let policy: Policy;
  let settler: Settler;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed/p/sub');
    policy = new Policy(bed.cgroups.childPath('policed'));
    settler = await Settler.start(bed.cgroups.child('policed/home'), bed.network.path);
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const enforce = (groups: readonly Group[]) =>
    policy.enforce(
      groups
        .map(({ name, id, path = '' }) => `-G ${name} --id ${id} --path ${quoted(path)}\n`)
        .join('') + RULES,
    );
  /** The id of calls from within the control group at the directory. */
  const idIn = async (folder: string) => {
    const outcomes = await settler.ask({ do: 'visit', folder });
    return Object.keys(outcomes).map((errno) => NUMBER[Number(errno)]);
  };

  test('new control groups, those that are there, and groupAt give the same id', async () => {
    const root = bed.cgroups.childPath('policed/p');
    const folder = bed.cgroups.child('policed/p');
    const groups = fc
      .array(fc.tuple(places, fc.oneof(patternName, plainName.map(escapePath))), {
        minLength: 1,
        maxLength: IDS.length,
      })
      .map((paths) => {
        const known: Group[] = [];
        for (const [place, name] of paths) {
          const path = `${root}${place}/${name}`;
          const id = IDS[known.length] ?? 0;
          const group = { name: `g${id}`, id, path };
          if (path !== `${root}/sub` && groupConflict(known, group) === undefined)
            known.push(group);
        }
        return known;
      });
    const names = fc.uniqueArray(fc.tuple(places, plainName), {
      minLength: 1,
      maxLength: 5,
      selector: (pair) => pair.join('/'),
    });
    await fc.assert(
      fc.asyncProperty(groups, groups, names, async (first, second, made) => {
        enforce(first);
        const all = made.map(([place, name]) => ({
          directory: `${folder}${place}/${name}`,
          path: `${root}${place}/${escapePath(name)}`,
        }));
        try {
          for (const { directory } of all) mkdirSync(directory);
          for (const table of [first, second]) {
            if (table === second) enforce(second);
            for (const { directory, path } of all)
              expect([path, await idIn(directory)]).toEqual([
                path,
                [groupAt(table, path)?.id ?? 0],
              ]);
          }
        } finally {
          for (const { directory } of all) rmdirSync(directory);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('what lies below a match, and a match that is made again, has the id at once', async () => {
    enforce([{ name: 'units', id: 3, path: `${bed.cgroups.childPath('policed/p')}/unit-*.scope` }]);
    const folder = `${bed.cgroups.child('policed/p')}/unit-7.scope`;
    expect(await settler.ask({ do: 'churn', folder, times: 50 })).toEqual({ 13: 100 });
  });
});
