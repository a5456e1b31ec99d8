import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Entry {
  readonly isFlush: boolean;
  readonly end: number;
}
const { readLog, replay } = jest.requireActual<{
  readonly readLog: (path: string) => readonly Entry[];
  readonly replay: (
    disk: string,
    entries: readonly Entry[],
    count: number,
    keeps: () => boolean,
  ) => number;
}>('./disklog.js');

const SECTOR = 512;
const BLOCK = 4096;
const FLUSH = 1n;

/** Words of 8 bytes in a sector. */
function sector(...words: readonly bigint[]): Buffer {
  const buffer = Buffer.alloc(SECTOR);
  for (const [n, word] of words.entries()) buffer.writeBigUInt64LE(word, n * 8);
  return buffer;
}

/** A write of so many blocks of a letter. */
const write = (block: number, letters: string) =>
  Buffer.concat([
    sector(BigInt((block * BLOCK) / SECTOR), BigInt((letters.length * BLOCK) / SECTOR), 0n, 0n),
    ...Array.from(letters, (letter) => Buffer.alloc(BLOCK, letter)),
  ]);

describe('a log of writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-disklog-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const [log, disk] = [join(folder, 'log'), join(folder, 'disk')];
  const parts = [
    sector(0x6a736677736872n, 1n, 0n, BigInt(SECTOR)),
    write(1, 'ab'),
    sector(0n, 0n, FLUSH, 0n),
    write(2, 'cd'),
    write(0, 'e'),
    // Not written to its end when the power went.
    write(3, 'f').subarray(0, BLOCK),
  ];
  writeFileSync(log, Buffer.concat(parts));
  const entries = readLog(log);

  /** The letters of the disk's blocks, `-` for none, and how many were lost. */
  function diskAfter(count: number, keeps: () => boolean): string {
    writeFileSync(disk, Buffer.alloc(4 * BLOCK, '-'));
    const lost = replay(disk, entries, count, keeps);
    const blocks = [0, 1, 2, 3].map((n) => readFileSync(disk, 'latin1')[n * BLOCK]);
    return `${blocks.join('')} ${lost}`;
  }

  test('has its entries as far as they are whole', () => {
    expect(entries.map(({ isFlush }) => isFlush)).toEqual([false, true, false, false]);
    expect(entries.at(-1)?.end).toBe(Buffer.concat(parts.slice(0, -1)).length);
  });

  test('gives disks that have what was flushed, and of the rest what is kept', () => {
    const none = () => false;
    expect(diskAfter(0, none)).toBe('---- 0');
    expect(diskAfter(1, none)).toBe('---- 2');
    expect(diskAfter(2, none)).toBe('-ab- 0');
    expect(diskAfter(4, none)).toBe('-ab- 3');
    expect(diskAfter(4, () => true)).toBe('eacd 0');
    let n = 0;
    expect(diskAfter(4, () => n++ === 1)).toBe('-abd 2');
  });
});
