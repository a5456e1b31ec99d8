/** Every example of the help of commands that need the kernel works. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { program, Workplace } from './command.js';

describeKernel('the help of commands that need the kernel', () => {
  let cgroups: CgroupTree;
  let place: Workplace;
  beforeAll(async () => {
    cgroups = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: cgroups.path });
    mkdirSync(place.path('bin'));
    symlinkSync(program('sockfilter'), place.path('bin/sockfilter'));
    place.expectStatus(['group', 'add', 'web'], 0);
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await cgroups?.remove();
    place?.remove();
  });

  /** What goes on until it is interrupted; later, where it was not that far yet and the signal has killed it. */
  function interrupted(command: string) {
    const after = (seconds: number) =>
      place.shell(`timeout --preserve-status -s INT ${seconds} ${command}`);
    const KILLED = 128 + constants.signals.SIGINT;
    const first = after(2);
    return first.status === KILLED ? after(30) : first;
  }

  const live = COMMANDS.filter(({ scope }) => scope === 'live').flatMap((row) => row.examples);
  // What names a root of its own is not for the root that is tried here.
  test.each(live.filter((each) => !/^(--root|doctor)/.test(each)))('%s', (example) => {
    const goesOn = /^(monitor|trace|dashboard) /.test(`${example} `);
    const { status, stderr } = goesOn
      ? interrupted(`node bin/sockfilter ${example}`)
      : place.shell(`node bin/sockfilter ${example}`);
    // Nothing is on trial, and nothing was in force before.
    const isAnswer = status === 0 || (status === 1 && /^(confirm|undo)/.test(example));
    expect([stderr, isAnswer]).toEqual([stderr, true]);
  });
});
