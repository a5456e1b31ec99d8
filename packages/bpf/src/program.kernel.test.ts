import * as bpf from './index.js';
import { index, kernelTests, wordAt, words } from './testing/kernelTests.js';

const { R0, R1, R2, R3, R7, R8, R9, R10 } = bpf;

kernelTests('programs', () => {
  test('a call within the program', () => {
    const program = bpf.loadProgram({
      name: 'caller',
      type: 'sched_cls',
      license: 'GPL',
      items: [
        bpf.movImm(R1, 20),
        bpf.callLabel('twice'),
        bpf.addImm(R0, 2),
        bpf.exit(),
        bpf.label('twice'),
        bpf.mov(R0, R1),
        bpf.lshImm(R0, 1),
        bpf.exit(),
      ],
    });
    const { retval, durationNs } = bpf.testRun(program, {
      dataIn: new Uint8Array(64),
      repeat: 1000,
    });
    expect(retval).toBe(42);
    expect(durationNs).toBeLessThan(100_000);
    bpf.close(program);
  });

  test('a syscall program writes into its context', () => {
    const program = bpf.loadProgram({
      name: 'add_one',
      type: 'syscall',
      license: 'GPL',
      flags: bpf.BPF_F_SLEEPABLE,
      items: [
        bpf.load(8, R2, R1, 0),
        bpf.addImm(R2, 1),
        bpf.store(8, R1, 8, R2),
        bpf.movImm(R0, 7),
        bpf.exit(),
      ],
    });
    const context = words(41n, 0n);
    expect(bpf.testRun(program, { ctxIn: context }).retval).toBe(7);
    expect(wordAt(context, 1)).toBe(42n);
    bpf.close(program);
  });

  test('a loop over may_goto is looked at once, and ends', () => {
    const rounds: bpf.ProgramSpec = {
      name: 'rounds',
      type: 'sched_cls',
      license: 'GPL',
      items: [
        // The length of the packet, of which the verifier knows nothing.
        bpf.load(4, R7, R1, 0),
        bpf.movImm(R0, 0),
        bpf.label('round'),
        bpf.mayGoto('end'),
        bpf.addImm(R0, 1),
        bpf.jumpIf('ne', R0, R7, 'round'),
        bpf.label('end'),
        bpf.exit(),
      ],
    };
    if (!bpf.hasMayGoto()) {
      expect(() => bpf.loadProgram(rounds)).toThrow('EINVAL');
      return;
    }
    const program = bpf.loadProgram(rounds);
    expect(bpf.testRun(program, { dataIn: new Uint8Array(100) }).retval).toBe(100);
    expect(bpf.programInfo(program).verifiedInstructions).toBeLessThan(100);
    bpf.close(program);
  });

  test('a refusal shows the verifier’s complaint', () => {
    const load = (): number =>
      bpf.loadProgram({
        name: 'wild',
        type: 'sched_cls',
        license: 'GPL',
        items: [bpf.movImm(R3, 0), bpf.load(8, R0, R3, 0), bpf.exit()],
      });
    expect(load).toThrow(
      expect.objectContaining({
        code: 'EACCES',
        log: expect.stringContaining('processed 2 insns'),
      }),
    );
    expect(load).toThrow("R3 invalid mem access 'scalar'");
  });

  test('a refusal after a long walk has the end of the log', () => {
    const load = (): number =>
      bpf.loadProgram({
        name: 'endless',
        type: 'sched_cls',
        license: 'GPL',
        items: [
          bpf.callHelper('get_prandom_u32'),
          bpf.mov(R7, R0),
          bpf.movImm(R8, 0),
          bpf.label('again'),
          bpf.addImm(R8, 1),
          bpf.xor(R7, R8),
          bpf.jumpIf('ne', R8, 100_000, 'again'),
          bpf.load(8, R0, R8, 0),
          bpf.exit(),
        ],
      });
    expect(load).toThrow("R8 invalid mem access 'scalar'");
  });

  test('a missing map is named', () => {
    expect(() =>
      bpf.loadProgram({
        name: 'reader',
        type: 'sched_cls',
        license: 'GPL',
        items: [bpf.loadMap(R1, 'memory')],
      }),
    ).toThrow('program `reader`: no descriptor for map `memory`');
  });

  test('info and statistics', () => {
    let log = '';
    const program = bpf.loadProgram(
      { name: 'tiny', type: 'sched_cls', license: 'GPL', items: [bpf.movImm(R0, 0), bpf.exit()] },
      {},
      { logLevel: 4, onLog: (text) => (log = text) },
    );
    expect(bpf.processedInstructions(log)).toBe(2);
    const info = bpf.programInfo(program);
    expect(info).toMatchObject({
      type: bpf.PROGRAM_TYPES.sched_cls,
      name: 'tiny',
      verifiedInstructions: 2,
      mapIds: [],
    });
    expect([...bpf.programIds()]).toContain(info.id);
    const again = bpf.programById(info.id);
    expect(again).toBeDefined();
    if (again !== undefined) bpf.close(again);
    bpf.close(program);
  });

  test('offsets by BTF lead to the caller’s own task and cgroup', () => {
    const btf = bpf.kernelBtf();
    const result = bpf.createMap({
      type: 'array',
      name: 'result',
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
    });
    const read = (size: number, source: bpf.Register, offset: number): bpf.Item[] => [
      bpf.mov(R3, source),
      bpf.addImm(R3, offset),
      bpf.storeImm(8, R10, -8, 0),
      bpf.mov(R1, R10),
      bpf.addImm(R1, -8),
      bpf.movImm(R2, size),
      bpf.callHelper('probe_read_kernel'),
      bpf.load(8, R8, R10, -8),
    ];
    const field = (struct: string, path: string, source: bpf.Register): bpf.Item[] => {
      const { offset, size } = bpf.findField(btf, struct, path);
      return read(size, source, offset);
    };
    const program = bpf.loadProgram(
      {
        name: 'who',
        type: 'raw_tracepoint',
        license: 'GPL',
        items: [
          bpf.callHelper('get_current_task'),
          bpf.mov(R7, R0),
          bpf.loadMapValue(R9, 'result', 0),
          ...field('task_struct', 'tgid', R7),
          bpf.store(8, R9, 0, R8),
          ...field('task_struct', 'cgroups', R7),
          ...field('css_set', 'dfl_cgrp', R8),
          ...field('cgroup', 'kn', R8),
          ...field('kernfs_node', 'id', R8),
          bpf.callHelper('get_current_cgroup_id'),
          bpf.sub(R8, R0),
          bpf.store(8, R9, 8, R8),
          bpf.movImm(R0, 0),
          bpf.exit(),
        ],
      },
      { result },
    );
    bpf.testRun(program);
    const value = bpf.lookup(result, index(0), 16) ?? new Uint8Array(16);
    expect(wordAt(value, 0)).toBe(BigInt(process.pid));
    expect(wordAt(value, 1)).toBe(0n);
    bpf.close(program);
    bpf.close(result);
  });
});
