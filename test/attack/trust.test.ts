/** What docs/security.md says that nobody is kept from, done. */
import { execFileSync } from 'node:child_process';
import { describeKernel } from '../harness/kernel.js';
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

  for (const { who, needs, show } of TRUSTS)
    (needs === undefined || has(needs) ? test : test.skip)(who, async () => {
      expect(await show(scene)).toBe(true);
    });
});
