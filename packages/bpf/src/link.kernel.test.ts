import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as bpf from './index.js';
import { cgroup2, kernelTests, withCgroup } from './testing/kernelTests.js';

const { R0 } = bpf;

const verdict = (allowed: 0 | 1): bpf.ProgramSpec => ({
  name: allowed ? 'allow' : 'refuse',
  type: 'cgroup_sock_addr',
  expectedAttachType: 'inet4_connect',
  license: 'GPL',
  items: [bpf.movImm(R0, allowed), bpf.exit()],
});

const CLIENT = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
socket.on('connect', () => { console.log('connected'); socket.destroy(); });
socket.on('error', (error) => console.log(error.code));
`;

/** What a process in the cgroup gets when it connects to the port. */
async function connectFrom(cgroup: string, port: number): Promise<string> {
  const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  const child = spawn('sh', ['-c', enter, cgroup, process.execPath, '-e', CLIENT, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  await once(child, 'close');
  return output.trim();
}

kernelTests('links', () => {
  test('a program that returns 0 refuses connect with EPERM, in its cgroup only', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const refuse = bpf.loadProgram(verdict(0));
    const allow = bpf.loadProgram(verdict(1));
    try {
      await withCgroup('connect', async (path, fd) => {
        expect(await connectFrom(path, address.port)).toBe('connected');
        const link = bpf.attachCgroup(refuse, fd, 'inet4_connect');
        expect(await connectFrom(path, address.port)).toBe('EPERM');
        expect(await connectFrom(cgroup2(), address.port)).toBe('connected');
        bpf.updateLink(link, allow);
        expect(await connectFrom(path, address.port)).toBe('connected');
        bpf.close(link);
      });
    } finally {
      server.close();
      bpf.close(refuse);
      bpf.close(allow);
    }
  });

  test('info, queries and detaching', () => {
    const program = bpf.loadProgram(verdict(1));
    const programId = bpf.programInfo(program).id;
    withCgroup('query', (path, fd) => {
      const link = bpf.attachCgroup(program, fd, 'inet4_connect');
      const info = bpf.linkInfo(link);
      expect(info).toEqual({
        type: bpf.LINK_TYPES.cgroup,
        id: info.id,
        programId,
        cgroup: { id: bpf.cgroupId(path), attachType: bpf.ATTACH_TYPES.inet4_connect },
      });
      expect([...bpf.linkIds()]).toContain(info.id);
      expect(bpf.queryCgroup(fd, 'inet4_connect')).toEqual([programId]);
      expect(bpf.queryCgroup(fd, 'inet6_connect')).toEqual([]);

      const below = join(path, 'below');
      mkdirSync(below);
      const belowFd = bpf.openDirectory(below);
      expect(bpf.queryCgroup(belowFd, 'inet4_connect')).toEqual([]);
      expect(bpf.queryCgroup(belowFd, 'inet4_connect', bpf.BPF_F_QUERY_EFFECTIVE)).toContain(
        programId,
      );
      bpf.close(belowFd);
      rmdirSync(below);

      bpf.detachLink(link);
      expect(bpf.linkInfo(link).cgroup?.id).toBe(0n);
      expect(bpf.queryCgroup(fd, 'inet4_connect')).toEqual([]);
      bpf.close(link);
    });
    bpf.close(program);
  });

  test('a link to a cgroup that is removed is detached, a moment later', async () => {
    const program = bpf.loadProgram(verdict(1));
    const link = withCgroup('removed', (_, fd) => bpf.attachCgroup(program, fd, 'inet4_connect'));
    const isDetached = (): boolean => bpf.linkInfo(link).cgroup?.id === 0n;
    for (let tries = 0; tries < 500 && !isDetached(); tries += 1) await setTimeout(10);
    expect(isDetached()).toBe(true);
    bpf.close(link);
    bpf.close(program);
  });

  test('a raw tracepoint sees a cgroup being made', () => {
    const seen = bpf.createMap({
      type: 'array',
      name: 'seen',
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
    });
    const program = bpf.loadProgram(
      {
        name: 'mkdir',
        type: 'raw_tracepoint',
        license: 'GPL',
        items: [
          bpf.loadMapValue(bpf.R1, 'seen', 0),
          bpf.movImm(bpf.R2, 1),
          bpf.atomicAdd(8, bpf.R1, 0, bpf.R2),
          bpf.movImm(R0, 0),
          bpf.exit(),
        ],
      },
      { seen },
    );
    const link = bpf.attachRawTracepoint(program, 'cgroup_mkdir');
    expect(bpf.linkInfo(link)).toMatchObject({ type: bpf.LINK_TYPES.raw_tracepoint });
    withCgroup('mkdir', () => undefined);
    expect(bpf.lookup(seen, new Uint8Array(4), 8)?.[0]).toBeGreaterThan(0);
    expect(() => bpf.attachRawTracepoint(program, 'no_such_thing')).toThrow(
      'BPF_RAW_TRACEPOINT_OPEN of no_such_thing: ENOENT',
    );
    for (const fd of [link, program, seen]) bpf.close(fd);
  });
});
