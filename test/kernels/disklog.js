/**
 * What was written to a disk, in its order, as qemu's driver `blklogwrites` logs it, in the format of the kernel's dm-log-writes
 * (Documentation/admin-guide/device-mapper/log-writes.rst), all numbers little-endian:
 *
 *     superblock    magic, version, number of entries (8 bytes each), bytes of a sector (4); one sector
 *     entry         first sector, number of sectors, flags, bytes of data (8 each); one sector
 *     data          of the entry, but of discards: whole sectors
 *
 * A disk has what was written before a flush; of what came later it may have any part.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const MAGIC = 0x6a736677736872n;
const FLUSH = 1n;
const DISCARD = 4n;
/** What a disk writes at once or not at all. */
const BLOCK = 4096;

/** The entries that are whole: `end` is how long the log was with them. */
export function readLog(path) {
  const log = readFileSync(path);
  if (log.readBigUInt64LE(0) !== MAGIC) throw new Error(`${path} is no log of writes`);
  const sector = log.readUInt32LE(24);
  const entries = [];
  for (let at = sector; at + sector <= log.length; ) {
    const [first, sectors, flags] = [0, 8, 16].map((each) => log.readBigUInt64LE(at + each));
    const isDiscard = (flags & DISCARD) !== 0n;
    const from = at + sector;
    const end = from + (isDiscard ? 0 : Number(sectors) * sector);
    if (end > log.length) break;
    const data = log.subarray(from, end);
    entries.push({ to: Number(first) * sector, data, isFlush: (flags & FLUSH) !== 0n, end });
    at = end;
  }
  return entries;
}

/** The blocks that the entry writes. */
function blocksOf({ to, data }) {
  const count = Math.ceil(data.length / BLOCK);
  return Array.from({ length: count }, (_, n) => ({
    to: to + n * BLOCK,
    data: data.subarray(n * BLOCK, (n + 1) * BLOCK),
  }));
}

/**
 * Writes to the disk, as it was when the log began, what it has after the first `count` entries; `keeps` says of each
 * block that was not flushed whether it is there. Gives how many blocks were not.
 */
export function replay(disk, entries, count, keeps) {
  const written = entries.slice(0, count);
  const flushed = written.findLastIndex(({ isFlush }) => isFlush);
  const fd = openSync(disk, 'r+');
  try {
    let lost = 0;
    for (const [n, entry] of written.entries())
      for (const block of blocksOf(entry))
        if (n <= flushed || keeps()) writeSync(fd, block.data, 0, block.data.length, block.to);
        else lost++;
    return lost;
  } finally {
    closeSync(fd);
  }
}
