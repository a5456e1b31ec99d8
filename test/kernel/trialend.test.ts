/** A trial whose end fails: what is open stays with who holds it, who closes it once. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { mountBpffs } from '@sockfilter/bpf';
import { decodeHeader } from '../../packages/kernel/src/header.js';
import { HEADER_BYTES } from '../../packages/kernel/src/layout.js';
import { Pins } from '../../packages/kernel/src/pins.js';
import { abortTrial, requirePending } from '../../packages/kernel/src/trial.js';
import { describeKernel } from '../harness/kernel.js';

describeKernel('the end of a trial', () => {
  test('closes nothing where it fails', () => {
    const header = decodeHeader(new Uint8Array(HEADER_BYTES));
    const open = () => ({ fd: openSync('/dev/null', 'r'), header });
    const [generation, before, other] = [open(), open(), open()];
    const pending = requirePending({
      state: 'inForce',
      generation,
      before,
      isCountLost: false,
      release: 'own',
      trial: { state: 'pending', other, deadline: 1n },
    });
    // Nothing is pinned there.
    const pins = Pins.of(mountBpffs(), `/sockfilter-test-trial-${process.pid}`);
    expect(() => abortTrial(pins, pending)).toThrow();
    for (const { fd } of [generation, before, other]) {
      expect(fstatSync(fd).isCharacterDevice()).toBe(true);
      closeSync(fd);
    }
  });
});
