/** Each technique against a policy that refuses the direct attempt, and its twin, which must arrive. */
import { release } from 'node:os';
import { describeKernel } from '../harness/kernel.js';
import { isThere } from './needs.js';
import { Scene } from './scene.js';
import { THEMES } from './techniques.js';

/** Whether the running kernel is older than the release, such as 6.11. */
function isOlderThan(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = release().split(/\D/).map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

describeKernel('attacks', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  describe.each(THEMES)('$title', ({ techniques }) => {
    const rows = techniques.flatMap((technique) =>
      technique.as.map((role) => ({ ...technique, role })),
    );
    for (const { role, expected, needs, ...technique } of rows) {
      const title = `${technique.chain}: ${technique.name}, as ${role}`;
      if (needs !== undefined && !isThere(needs)) {
        test.skip(`${title} [this kernel has no ${needs}]`, () => {});
        continue;
      }
      const { since } = technique;
      if (since !== undefined && isOlderThan(since)) {
        test.skip(`${title} [Linux ${since} has what it uses]`, () => {});
        continue;
      }
      test(title, async () => {
        const { twin, found } = await scene.attempt(role, technique);
        expect(`${twin.said}, arrived: ${twin.arrived}`).toMatch(/, arrived: true$/);
        expect(found).toEqual({ said: expected, arrived: false });
      });
    }
  });
});
