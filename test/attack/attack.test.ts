/** Each technique against a policy that refuses the direct attempt, and its twin, which must arrive. */
import { describeKernel } from '../harness/kernel.js';
import { isThere } from './needs.js';
import { Scene } from './scene.js';
import { THEMES } from './techniques.js';

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
      test(title, async () => {
        const { twin, found } = await scene.attempt(role, technique);
        expect(`${twin.said}, arrived: ${twin.arrived}`).toMatch(/, arrived: true$/);
        expect(found).toEqual({ said: expected, arrived: false });
      });
    }
  });
});
