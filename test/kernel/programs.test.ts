/** What the kernel's verifier makes of the programs, in both ways in which it can be shown that a walk ends. */
import { close, hasMayGoto, loadProgram, mountBpffs, programInfo } from '@sockfilter/bpf';
import { CALL_HOOKS, TRACEPOINTS } from '../../packages/kernel/src/hooks.js';
import { closeMaps, createMaps, type Maps } from '../../packages/kernel/src/maps.js';
import { kernelOffsets, type Offsets } from '../../packages/kernel/src/offsets.js';
import { Pins } from '../../packages/kernel/src/pins.js';
import { describeKernel } from '../harness/kernel.js';

describeKernel('the programs', () => {
  let pins: Pins;
  let maps: Maps;
  let offsets: Offsets;
  beforeAll(() => {
    pins = Pins.of(mountBpffs(), `/sockfilter-test-programs-${process.pid}`);
    maps = createMaps(pins);
    offsets = kernelOffsets();
  });
  afterAll(() => {
    closeMaps(maps);
    for (const name of pins.list()) pins.unpin(name);
    pins.removeFolder();
  });

  /** How many instructions the verifier looks at, of all programs. */
  const looks = (mayGoto: boolean): readonly number[] =>
    [...TRACEPOINTS, ...CALL_HOOKS].map(({ program }) => {
      const fd = loadProgram(program({ ...offsets, mayGoto }), maps);
      const { verifiedInstructions } = programInfo(fd);
      close(fd);
      return verifiedInstructions;
    });

  test('as they are loaded before Linux 6.9, where each step of a walk is looked at', () => {
    // The verifier gives up at a million.
    expect(Math.max(...looks(false))).toBeLessThan(700_000);
  });

  test('as they are loaded here', () => {
    const mayGoto = hasMayGoto();
    expect(Math.max(...looks(mayGoto))).toBeLessThan(mayGoto ? 50_000 : 700_000);
  });
});
