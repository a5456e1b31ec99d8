import { pieceValues } from '@sockfilter/diagram';
import { counterOwners, EMPTY_TABLE, type Packet } from '@sockfilter/table';
import fc from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { packets } from '../../../test/arbitrary/table.js';
import { decodeEvent, type RawEvent } from './event.js';
import { type EventFilter, isWanted } from './filter.js';
import { EVENT, EVENT_KINDS, EVENT_VERSION, NO_COUNTER, NO_ID, PACKET_BYTES } from './layout.js';
import { eventJson, eventWords, missingJson } from './line.js';

interface Written {
  readonly packet?: Packet;
  readonly kind?: keyof typeof EVENT_KINDS;
  readonly version?: number;
  readonly comm?: string;
  readonly pid?: number;
  readonly counter?: number;
  readonly uid?: number;
}

/** An event as a program writes it. */
function write(written: Written): Uint8Array {
  const { packet, version = EVENT_VERSION, comm = 'curl', pid = 12 } = written;
  const bytes = new Uint8Array(EVENT.bytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(EVENT.version, version, true);
  view.setUint8(EVENT.kind, EVENT_KINDS[written.kind ?? 'refused']);
  view.setUint8(EVENT.errno, 1);
  view.setUint32(EVENT.counter, written.counter ?? 3, true);
  view.setUint32(EVENT.sequence, 9, true);
  view.setUint32(EVENT.uid, written.uid ?? NO_ID, true);
  view.setUint32(EVENT.gid, NO_ID, true);
  view.setBigUint64(EVENT.time, 5_000_000_000n, true);
  view.setUint32(EVENT.tid, pid, true);
  view.setUint32(EVENT.pid, pid, true);
  view.setBigUint64(EVENT.cgroup, 77n, true);
  bytes.set(Buffer.from(comm), EVENT.comm);
  if (packet)
    // Details of a call are not in events.
    pieceValues(packet)
      .subarray(0, PACKET_BYTES / 2)
      .forEach((value, n) => {
        view.setUint16(EVENT.packet + 2 * n, value, true);
      });
  return bytes;
}

function read(written: Written): RawEvent {
  const event = decodeEvent(write(written));
  if (!event) throw new Error('the event can not be read');
  return event;
}

const resolution = {
  time: 1_700_000_000_123_456_789n,
  owner: undefined,
  text: undefined,
  groups: [{ name: 'web', id: 3, path: undefined }],
  cgroup: undefined,
  holders: () => [],
};

test('every packet comes back as it was written', () => {
  fc.assert(
    fc.property(packets, ({ netns: _netns, device: _device, comm: _comm, ...packet }) => {
      expect(read({ packet }).packet).toEqual(packet);
    }),
    { numRuns: 200 },
  );
});

test('who holds the socket is told where no task calls', () => {
  const found = [
    { pid: 8, comm: 'nginx' },
    { pid: 9, comm: 'nginx' },
  ];
  const stranger = read({ packet: PACKET, pid: 0 });
  const known = { ...resolution, holders: () => found };
  expect(eventWords(stranger, known)).toContain(', held by nginx[8] and 1 more,');
  expect(eventJson(stranger, known)).toMatchObject({ holders: found });
  expect(eventJson(stranger, resolution)).not.toHaveProperty('holders');
  expect(eventWords(read({ packet: PACKET }), resolution)).toContain(', curl[12],');
});

test('what a program could not know is not made up', () => {
  const stranger = read({ packet: PACKET, pid: 0, counter: NO_COUNTER });
  expect([stranger.task, stranger.uid, stranger.gid, stranger.counter]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(read({}).packet).toBeUndefined();
  expect(eventWords(read({}), resolution)).toContain('a call that can not be read');
  expect(eventWords(stranger, resolution)).toContain('no rule: it failed closed');
});

test('an event is read from a part of a greater buffer', () => {
  const bytes = write({ packet: PACKET, uid: 1000 });
  expect(decodeEvent(Buffer.concat([Buffer.of(1), bytes]).subarray(1))).toEqual(decodeEvent(bytes));
});

test('an event of another version is not taken for one of this', () => {
  expect(decodeEvent(write({ version: EVENT_VERSION + 1 }))).toBeUndefined();
  expect(decodeEvent(write({}).subarray(1))).toBeUndefined();
});

test('a line of JSON says what a monitor shows', () => {
  const owners = counterOwners(EMPTY_TABLE);
  const event = read({ packet: { ...PACKET, group: 3 }, uid: 1000 });
  const json = eventJson(event, { ...resolution, owner: owners[2], text: '-P CONNECT ACCEPT' });
  expect(json).toMatchObject({
    version: 1,
    kind: 'refused',
    time: '2023-11-14T22:13:20.123456Z',
    chain: PACKET.chain,
    errno: 1,
    errnoName: 'EPERM',
    rule: { chain: 'CONNECT', rule: null, text: '-P CONNECT ACCEPT', generation: 9 },
    pid: 12,
    comm: 'curl',
    uid: 1000,
    group: { id: 3, name: 'web' },
    cgroup: { id: '77', path: null },
  });
  expect(missingJson('lost', 5, 1_700_000_000_123)).toEqual({
    version: 1,
    kind: 'lost',
    time: '2023-11-14T22:13:20.123000Z',
    count: 5,
  });
});

test.each<[EventFilter, boolean, boolean]>([
  [{ kinds: ['refused'] }, true, false],
  [{ group: 3 }, false, false],
  [{ chain: PACKET.chain }, true, true],
  [{ chain: 'web' }, false, false],
  [{ chain: PACKET.chain, rule: 1 }, false, false],
])('%j shows some', (filter, refusal, log) => {
  expect(isWanted(filter, read({ packet: PACKET }), undefined)).toBe(refusal);
  expect(isWanted(filter, read({ packet: PACKET, kind: 'log' }), undefined)).toBe(log);
});
