import { existsSync, readFileSync } from 'node:fs';
import { Caller } from './caller.js';
import { cgroupMount } from './cgroups.js';
import { describeKernel } from './kernel.js';
import { Testbed } from './testbed.js';

describeKernel('harness without a policy', () => {
  let bed: Testbed;
  let web: Caller;
  let db: Caller;

  beforeAll(async () => {
    bed = await Testbed.create();
    [web, db] = await Promise.all([bed.caller('web'), bed.caller('db/main')]);
  });

  afterAll(() => bed?.close());

  test('a caller lives in its control group', () => {
    const line = readFileSync(`/proc/${web.pid}/cgroup`, 'utf8');
    expect(line).toContain(`0::${bed.cgroups.childPath('web')}\n`);
    expect(cgroupMount()).toBeDefined();
  });

  test.each(['127.0.0.1', '10.9.9.1', '::1', 'fd00:9::1', '::ffff:10.9.9.2'])(
    'tcp between two groups over %s',
    async (address) => {
      const listener = await web.open('stream', { address });
      const fd = await db.socket(address.includes(':') ? 'inet6' : 'inet', 'stream');
      expect(await db.connectAndWait(fd, listener.address)).toBe('connected');
      const accepted = await web.acceptWithin(listener.fd);
      expect(accepted.address).toEqual(await db.address(fd));
      expect(await web.acceptWithin(listener.fd, 1)).toEqual({ errno: 'timeout' });
    },
  );

  test.each([
    ['10.9.9.1', 'udp'],
    ['fd00:9::1', 'udp'],
    ['::ffff:10.9.9.1', 'udp'],
    ['10.9.9.1', 'udplite'],
  ] as const)('datagrams over %s with %s', async (address, protocol) => {
    const receiver = await web.open('dgram', { address }, protocol);
    const fd = await db.socket(address.includes(':') ? 'inet6' : 'inet', 'dgram', protocol);
    expect(await db.sendto(fd, receiver.address, 'hello')).toBe('ok');
    const got = await web.recvWithin(receiver.fd);
    expect(got).toMatchObject({ value: 5, data: 'hello' });
    expect(got.address?.port).toBe((await db.address(fd)).port);
    expect(await web.recvWithin(receiver.fd, 1)).toEqual({ errno: 'timeout' });
  });

  test('a message with IP_PKTINFO comes from that address', async () => {
    const receiver = await web.open('dgram', { address: '10.9.9.1' });
    const fd = await db.socket('inet', 'dgram');
    const from = { address: '10.9.9.2' };
    expect(await db.call({ op: 'sendmsg', fd, to: receiver.address, from })).toEqual({ value: 1 });
    expect((await web.recvWithin(receiver.fd)).address?.address).toBe('10.9.9.2');
    const receiver6 = await web.open('dgram', { address: 'fd00:9::1' });
    const fd6 = await db.socket('inet6', 'dgram');
    await db.call({
      op: 'sendmsg',
      fd: fd6,
      to: receiver6.address,
      from: { address: 'fd00:9::2' },
    });
    expect((await web.recvWithin(receiver6.fd)).address?.address).toBe('fd00:9::2');
  });

  test('errors come by name', async () => {
    const taken = await web.open('stream', { address: '10.9.9.1' });
    const fd = await db.socket('inet', 'stream');
    expect(await db.bind(fd, taken.address)).toBe('EADDRINUSE');
    expect(await db.bind(fd, { address: '192.0.2.1' })).toBe('EADDRNOTAVAIL');
    expect(await db.bind(9999, taken.address)).toBe('EBADF');
    expect(await db.connectAndWait(fd, { address: '10.9.9.1', port: 1 })).toBe('ECONNREFUSED');
    expect(await db.call({ op: 'socket', family: 99, type: 'stream' })).toEqual({
      errno: 'EAFNOSUPPORT',
    });
    const udp = await db.socket('inet', 'dgram');
    expect(await db.call({ op: 'recvfrom', fd: udp })).toEqual({ errno: 'EAGAIN' });
  });

  test('the family in the head of an address can be another than the truth', async () => {
    const fd = await web.socket('inet', 'dgram');
    expect(await web.bind(fd, { address: '0.0.0.0', family: 'unspec' })).toBe('ok');
    expect(await web.bind(fd, { address: '10.9.9.1', family: 'inet6' })).toBe('EAFNOSUPPORT');
    expect(await web.connect(fd, { address: '10.9.9.1', port: 9 })).toBe('ok');
    expect(await web.connect(fd, { address: '10.9.9.1', family: 'unspec' })).toBe('ok');
    expect(await web.call({ op: 'getpeername', fd })).toEqual({ errno: 'ENOTCONN' });
  });

  test('a thousand calls in batches', async () => {
    const round = [
      { op: 'socket', family: 'inet', type: 'dgram' },
      { op: 'bind', fd: 'last', address: { address: '10.9.9.2' } },
      { op: 'sendto', fd: 'last', to: { address: '10.9.9.1', port: 9 } },
      { op: 'close', fd: 'last' },
    ] as const;
    const results = await web.batch(Array.from({ length: 250 }, () => round).flat());
    expect(results).toHaveLength(1000);
    expect(results.filter(({ errno }) => errno !== undefined)).toEqual([]);
  });

  test('a caller takes other ids', async () => {
    const user = await bed.caller('user', { uid: 1234, gid: 2345 });
    const status = readFileSync(`/proc/${user.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t1234\t1234/m);
    expect(status).toMatch(/^Gid:\t2345\t2345/m);
    const fd = await user.socket('inet', 'stream');
    expect(await user.bind(fd, { address: '10.9.9.1' })).toBe('ok');
  });

  test('a caller moves to another group', async () => {
    const mover = await bed.caller('before');
    await mover.call({ op: 'moveTo', cgroup: bed.cgroups.child('after') });
    expect(readFileSync(`/proc/${mover.pid}/cgroup`, 'utf8')).toContain(
      `0::${bed.cgroups.childPath('after')}\n`,
    );
  });

  test('a call that makes no sense, and a caller that is gone, reject', async () => {
    await expect(web.bind(3, { address: 'nowhere' })).rejects.toThrow('no address: nowhere');
    const gone = await bed.caller('gone');
    await gone.stop();
    await expect(gone.socket('inet', 'dgram')).rejects.toThrow('has ended');
    await expect(Caller.start(`${bed.cgroups.root}/missing`)).rejects.toThrow('has ended');
  });

  test('all goes away', async () => {
    const own = await Testbed.create();
    const caller = await own.caller('a/b/c');
    const namespace = own.network.path;
    await own.close();
    expect(existsSync(own.cgroups.root)).toBe(false);
    expect(existsSync(`/proc/${caller.pid}`)).toBe(false);
    expect(existsSync(namespace)).toBe(false);
  });
});
