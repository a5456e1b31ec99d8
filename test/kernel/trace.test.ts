/** `trace` of real calls: which are told, each rule that was asked, and that a call pays for no reader that is gone. */
import { close, lookup, mountBpffs } from '@sockfilter/bpf';
import { READERS_BYTES, WATCHERS_AT } from '@sockfilter/events';
import { readEvents } from '@sockfilter/policy';
import { Pins } from '../../packages/kernel/src/pins.js';
import { Workplace } from '../cli/command.js';
import { Listening } from '../cli/listening.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

describeKernel('trace', () => {
  let bed: Testbed;
  let policy: Policy;
  let place: Workplace;
  let web: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    policy.enforce(`-N web
      -G web --id 3 --path ${bed.cgroups.path}/web
      -A CONNECT -m cgroup --id 3 -j web
      -A web -d 10.9.9.8 -p tcp -j ACCEPT
      -A web -m statistic --mode nth --every 2 --packet 0 -d 10.9.9.9
      -A web -d 10.9.9.9 -j DROP`);
    web = await bed.caller('web');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
    place?.remove();
  });

  const connect = async (address: string) =>
    web.connect(await web.socket('inet', 'dgram'), { address, port: 80 });

  /** The word of those who want calls that pass. */
  function watchers(): number {
    const fd = Pins.of(mountBpffs(), policy.root).open('readers');
    if (fd === undefined) throw new Error('nothing is installed');
    try {
      const value = lookup(fd, new Uint8Array(4), READERS_BYTES);
      if (!value) throw new Error('the word of the readers is gone');
      return new DataView(value.buffer).getUint32(WATCHERS_AT, true);
    } finally {
      close(fd);
    }
  }

  test('calls that match, allowed and refused, with each rule asked', async () => {
    const words = ['trace', 'CONNECT', '-d', '10.9.9.8/31', '--json', '--count', '2'];
    const tracing = new Listening(place, words);
    const lines = (text: string) => text.split('\n').filter((line) => line !== '');
    await tracing.until(
      (text) => lines(text).length > 0,
      async () => {
        await connect('10.9.9.1');
        await connect('10.9.9.8');
      },
    );
    expect(await connect('10.9.9.9')).toBe('EPERM');
    const { status, stdout } = await tracing.ended;
    expect(status).toBe(0);
    const [passed, refused] = lines(stdout).map((line) => JSON.parse(line));
    expect(passed).toMatchObject({
      kind: 'passed',
      rule: { chain: 'CONNECT', rule: null },
      call: { destination: '10.9.9.8:80' },
      comm: expect.any(String),
      ways: 1,
      asked: [
        { chain: 'CONNECT', rule: 1, matched: true },
        { chain: 'web', rule: 1, matched: false, failed: ['protocol'] },
        { chain: 'web', rule: 2, matched: false, failed: ['destination'] },
        { chain: 'web', rule: 3, matched: false, failed: ['destination'] },
        { chain: 'CONNECT', rule: null, matched: true },
      ],
    });
    if (refused.kind === 'refused')
      expect(refused).toMatchObject({ errnoName: 'EPERM', rule: { chain: 'web', rule: 3 } });
    expect((await readEvents(stdout)).faults).toEqual([]);
    expect(watchers()).toBe(0);
  });

  test('calls that come to a user chain, in words', async () => {
    const tracing = new Listening(place, ['trace', 'web', '-p', 'udp']);
    const text = await tracing.until(
      (said) => said.includes('refused'),
      () => connect('10.9.9.9'),
    );
    expect(text).toMatch(/refused EPERM, CONNECT udp .* -> 10.9.9.9:80, .* rule 3 of web/);
    expect(text).toMatch(/ {2}web 1 +not the destination, protocol +-A web -d 10.9.9.8/);
    expect(await tracing.end()).toMatchObject({ status: 0, stderr: '' });
  });

  test('after a tracer that was killed, the next call stops to tell of calls that pass', async () => {
    const tracing = new Listening(place, ['trace', 'CONNECT']);
    await tracing.until(
      (text) => text.includes('passed'),
      () => connect('10.9.9.8'),
    );
    expect(watchers()).not.toBe(0);
    await tracing.end('SIGKILL');
    for (let n = 0; watchers() !== 0 && n < 20; n++) await connect('10.9.9.8');
    expect(watchers()).toBe(0);
  });

  test('the last refusal is kept where nobody reads', async () => {
    expect(await connect('10.9.9.9')).toBe('EPERM');
    await connect('10.9.9.8');
    const said = place.expectStatus(['explain', '--last'], 0).stdout;
    expect(said).toMatch(
      /refused EPERM, CONNECT udp .* -> 10.9.9.9:80, .* group web \(3\), rule 3/,
    );
    expect(said).toMatch(/ {2}web 3 +matches +-A web -d 10.9.9.9/);
    expect(JSON.parse(place.expectStatus(['explain', '--last', '--json'], 0).stdout)).toMatchObject(
      {
        kind: 'refused',
        call: { destination: '10.9.9.9:80' },
        asked: expect.arrayContaining([expect.objectContaining({ chain: 'web', rule: 3 })]),
      },
    );
    place.expectStatus(['-A', 'web', '-d', '10.9.9.7', '-j', 'DROP'], 0);
    expect(place.expectStatus(['explain', '--last'], 0).stdout).toContain('-> 10.9.9.9:80');
    place.expectStatus(['explain', '--last', 'CONNECT'], 2);
  });

  test.each([
    [['CONNECT', '-d', '10.9.9.300'], 2, 'invalid address `10.9.9.300`'],
    [['CONNECT', '-j', 'DROP'], 2, 'its rule has no target'],
    [['CONNECT', '-m', 'limit', '--limit', '5/s'], 2, 'no sets, limits or clocks'],
    [['nope'], 1, 'no chain `nope`'],
    [['CONNECT', '--count', '0'], 2, '`--count` is a number of calls'],
  ])('what can not be traced: %s', (words, status, message) => {
    const said = place.run(['trace', ...words]);
    expect(said.status).toBe(status);
    expect(said.stderr).toContain(message);
  });
});
