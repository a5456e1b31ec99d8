/** Programs of the caller's own, attached at a control group below its policed one. */
import { PORT } from '../ends.js';
import { requireValue, said, withSocket } from '../moves.js';
import { ATTACH, attachProgram, detachProgram } from '../program.js';
import type { Attempt, Outcome, Technique, Theme } from '../technique.js';

/** Attaches the program at a child group that the caller is in meanwhile. */
const withProgram =
  (flags: number) =>
  async (attempt: Attempt): Promise<Outcome> => {
    const { scene, role, end } = attempt;
    const caller = await scene.policed(role);
    const directory = scene.delegate('guest', `programs-${flags}`);
    const attached = await attachProgram(caller, directory, flags);
    try {
      requireValue(await caller.call({ op: 'moveTo', cgroup: directory }), 'move');
      return await withSocket({ caller }, 'inet', 'stream', async (fd) =>
        said(await caller.call({ op: 'connect', fd, address: { address: end.v4, port: PORT } })),
      );
    } finally {
      await detachProgram(caller, attached);
      await caller.stop();
    }
  };

const row = (name: string, flags: number): Technique => ({
  name: `a program of a child group that lets pass, attached ${name}`,
  chain: 'CONNECT',
  as: ['root'],
  expected: 'EPERM',
  note: 'CAP_BPF and CAP_NET_ADMIN',
  attempt: withProgram(flags),
});

export const PROGRAMS: Theme = {
  title: 'Programs of one’s own',
  techniques: [
    row('alone', ATTACH.alone),
    row('to be overridden', ATTACH.override),
    row('beside others', ATTACH.multi),
  ],
};
