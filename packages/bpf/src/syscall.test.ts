import {
  ATTACH_TYPES,
  attachCgroup,
  BpfError,
  close,
  createMap,
  errnoName,
  exit,
  flock,
  loadProgram,
  lookup,
  mount,
  openPinned,
  type ProgramSpec,
  processedInstructions,
  queryCgroup,
  remove,
  type SyscallArgument,
  type Syscalls,
  update,
  verifierReason,
} from './index.js';

type Answer = (args: readonly SyscallArgument[], memory: Memory) => number;

/** Buffers by the address that they were given. */
class Memory {
  readonly #buffers: Uint8Array[] = [];

  address(bytes: Uint8Array): bigint {
    return BigInt(this.#buffers.push(bytes));
  }

  at(attribute: SyscallArgument | undefined, offset: number): Uint8Array {
    if (!(attribute instanceof Uint8Array)) throw new Error('not an attribute');
    const address = new DataView(attribute.buffer).getBigUint64(offset, true);
    const found = this.#buffers[Number(address) - 1];
    if (found === undefined) throw new Error(`nothing at ${address}`);
    return found;
  }
}

/** A kernel that answers each call in turn. */
function kernel(...answers: Answer[]): Syscalls & { readonly calls: readonly string[] } {
  const memory = new Memory();
  const calls: string[] = [];
  return {
    calls,
    call(name, ...args) {
      const [command, attribute] = args;
      const bytes = attribute instanceof Uint8Array ? Buffer.from(attribute).toString('hex') : '';
      calls.push(name === 'bpf' ? `${name} ${command} ${bytes}` : name);
      const answer = answers.shift();
      if (answer === undefined) throw new Error('one call too many');
      return answer(args, memory);
    },
    address: (bytes) => memory.address(bytes),
  };
}

const result =
  (value: number): Answer =>
  () =>
    value;

const spec: ProgramSpec = { name: 'verdict', type: 'sched_cls', items: [exit()], license: 'GPL' };

test('a refusal names the call and the error', () => {
  const sys = kernel(result(-1));
  expect(() =>
    createMap({ type: 'hash', name: 'groups', keySize: 8, valueSize: 4, maxEntries: 9 }, sys),
  ).toThrow(
    expect.objectContaining({
      name: 'BpfError',
      message: 'BPF_MAP_CREATE of groups: EPERM',
      code: 'EPERM',
      errno: 1,
    }),
  );
});

test('BPF_MAP_CREATE is laid out as in linux/bpf.h', () => {
  const sys = kernel(result(7));
  const map = { type: 'array', name: 'abc', keySize: 4, valueSize: 16, maxEntries: 3 } as const;
  expect(createMap({ ...map, flags: 0x1000, innerMapFd: 5 }, sys)).toBe(7);
  const words = [
    '02000000',
    '04000000',
    '10000000',
    '03000000',
    '00100000',
    '05000000',
    '00000000',
  ];
  expect(sys.calls).toEqual([`bpf 0 ${words.join('')}616263${'00'.repeat(29)}`]);
});

test('names are checked before the call', () => {
  const map = { type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 } as const;
  for (const name of ['sixteen_letters_', 'a-b', 'é']) {
    expect(() => createMap({ ...map, name }, kernel())).toThrow(RangeError);
  }
});

test('an absent key is no error', () => {
  const key = new Uint8Array(4);
  expect(lookup(3, key, 8, kernel(result(-2)))).toBeUndefined();
  expect(remove(3, key, kernel(result(-2)))).toBe(false);
  expect(openPinned('/sys/fs/bpf/x', kernel(result(-2)))).toBeUndefined();
  expect(() => update(3, key, key, 0, kernel(result(-2)))).toThrow(BpfError);
  expect(() => lookup(3, key, 8, kernel(result(-14)))).toThrow('BPF_MAP_LOOKUP_ELEM in 3: EFAULT');
});

test('the kernel writes the value through its address', () => {
  const sys = kernel(([, attribute], memory) => {
    memory.at(attribute, 16).fill(9);
    return 0;
  });
  expect(lookup(3, new Uint8Array(4), 2, sys)).toEqual(Uint8Array.of(9, 9));
});

test('a refused program is loaded again for its log, which grows until it fits', () => {
  const log =
    'func#0 @0\n0: R1=ctx() R10=fp0\n0: (95) exit\nR0 !read_ok\nprocessed 1 insns (limit 1000000)\n';
  const write: Answer = ([, attribute], memory) => {
    memory.at(attribute, 32).set(Buffer.from(log));
    return -13;
  };
  const sys = kernel(result(-13), result(-28), write);
  expect(() => loadProgram(spec, {}, {}, sys)).toThrow(
    expect.objectContaining({
      code: 'EACCES',
      message: 'BPF_PROG_LOAD of verdict: EACCES: 0: (95) exit\nR0 !read_ok',
      log,
    }),
  );
  expect(sys.calls).toHaveLength(3);
});

test('a program that loads is loaded once', () => {
  expect(loadProgram(spec, {}, {}, kernel(result(5)))).toBe(5);
});

test('a load that a signal has interrupted is tried again', () => {
  const times = (count: number) => Array.from({ length: count }, () => result(-11));
  expect(loadProgram(spec, {}, {}, kernel(...times(4), result(5)))).toBe(5);
  expect(() => loadProgram(spec, {}, {}, kernel(...times(10)))).toThrow('EAGAIN');
});

test('verifier logs', () => {
  expect(verifierReason('')).toBeUndefined();
  expect(verifierReason('unknown func bpf_x#1\nprocessed 0 insns (limit 1000000)\n')).toBe(
    'unknown func bpf_x#1',
  );
  expect(processedInstructions('x\nprocessed 41000 insns (limit 1000000) a b\n')).toBe(41000);
  expect(processedInstructions('')).toBeUndefined();
});

test('a query asks again with more room', () => {
  const sys = kernel(result(-28), ([, attribute], memory) => {
    memory.at(attribute, 16).set([7, 0, 0, 0, 9, 0, 0, 0]);
    if (attribute instanceof Uint8Array) attribute[24] = 2;
    return 0;
  });
  expect(queryCgroup(4, 'inet4_bind', 0, sys)).toEqual([7, 9]);
});

test('attachCgroup passes program, cgroup and hook', () => {
  const sys = kernel(result(6));
  expect(attachCgroup(3, 4, 'inet6_connect', sys)).toBe(6);
  expect(sys.calls).toEqual([
    `bpf 28 03000000040000000${ATTACH_TYPES.inet6_connect.toString(16)}00000000000000`,
  ]);
});

test('flock waits through signals, and says when another holds the lock', () => {
  const exclusive = { exclusive: true, nonblocking: true };
  expect(flock(3, exclusive, kernel(result(-4), result(0)))).toBe(true);
  expect(flock(3, exclusive, kernel(result(-11)))).toBe(false);
  expect(() => flock(3, exclusive, kernel(result(-9)))).toThrow('flock of 3: EBADF');
});

test('close and mount report', () => {
  expect(() => close(3, kernel(result(-9)))).toThrow('close of 3: EBADF');
  expect(() => mount('bpf', '/sys/fs/bpf', 'mode=0700', kernel(result(-1)))).toThrow(
    'mount of bpf at /sys/fs/bpf: EPERM',
  );
});

test('error names', () => {
  expect([1, 11, 95, 524, 9999].map(errnoName)).toEqual([
    'EPERM',
    'EAGAIN',
    'EOPNOTSUPP',
    'ENOTSUPP',
    'errno 9999',
  ]);
});
