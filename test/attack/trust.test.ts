/** What docs/security.md says that nobody is kept from, done. */
import { execFileSync } from 'node:child_process';
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

  for (const { who, needs, show } of TRUSTS)
    (needs === undefined || has(needs) ? test : test.skip)(who, async () => {
      expect(await show(scene)).toBe(true);
    });
});
