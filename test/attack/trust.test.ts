/** What docs/security.md says that nobody is kept from, done. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { Workplace } from '../cli/command.js';
import { describeKernel } from '../harness/kernel.js';
import { attachProgram, detachProgram } from './program.js';
import { Scene } from './scene.js';
import { TRUSTS } from './trusts.js';

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describeKernel('trust', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  test('status names a program that runs after ours', async () => {
    expect(scene.policy.status()?.later).toEqual([]);
    const caller = await scene.member('root', 'guest');
    const attached = await attachProgram(caller, scene.bed.cgroups.child('policed'));
    const place = new Workplace();
    const { stdout } = place.run(['--root', scene.policy.root, 'status']);
    place.remove();
    expect(scene.policy.status()?.later).toEqual([
      { hook: 'inet4_connect', programId: expect.any(Number), name: '' },
    ]);
    expect(stdout).toMatch(/^program \d+ of another runs after inet4_connect, and can allow/m);
    await detachProgram(caller, attached);
    expect(scene.policy.status()?.later).toEqual([]);
  });

  test('status names a control group that lets processes leave their groups', () => {
    const place = new Workplace();
    const status = () => place.run(['--root', scene.policy.root, 'status']).stdout;
    const procs = join(scene.bed.cgroups.child('policed'), 'cgroup.procs');
    // What is delegated below a group leads out of none.
    scene.delegate('guest', 'own');
    expect(status()).not.toMatch(/cgroup\.procs/);
    chownSync(procs, 65534, 65534);
    const said = `not only root may write cgroup.procs of ${scene.policy.root} (owner: uid 65534)`;
    expect(status()).toContain(said);
    chownSync(procs, 0, 0);
    place.remove();
  });

  for (const { who, needs, show } of TRUSTS)
    (needs === undefined || has(needs) ? test : test.skip)(who, async () => {
      expect(await show(scene)).toBe(true);
    });
});
