/** Whose a further subflow of MPTCP is: a kernel thread connects it, on behalf of the connection's maker. */
import { describeKernel } from '../harness/kernel.js';
import { rulesOf } from './ends.js';
import { Scene } from './scene.js';
import { ANNOUNCED } from './techniques/mptcp.js';

/** Uid, gid and network_id of the policed caller. */
const OWN = ['-m owner --uid-owner 65534', '-m owner --gid-owner 65534', '-m cgroup --id 6'];
/** Those of the thread. */
const THREAD = ['-m owner --uid-owner 0', '-m owner --gid-owner 0', '-m cgroup --id 0'];

describeKernel('a further subflow of MPTCP', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  test('has the uid, gid and network_id of its connection', async () => {
    const { refused: end } = scene.ends;
    const asked = [...OWN, ...THREAD].map((who) => `-A CONNECT -d ${end.device.v4} ${who}`);
    scene.policy.enforce([...asked, rulesOf(scene.policy.root)].join('\n'));
    const caller = await scene.member('user', 'guest');
    await ANNOUNCED.attempt({ scene, role: 'user', caller, end, patience: 1000 });
    const counted = scene.policy.counted().filter((line) => /^CONNECT [1-6]:/.test(line));
    expect(counted).toEqual(['CONNECT 1: 1', 'CONNECT 2: 1', 'CONNECT 3: 1']);
  });
});
