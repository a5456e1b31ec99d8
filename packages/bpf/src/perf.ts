/**
 * Buffers that programs write to by bpf_perf_event_output, one for each CPU (perf_event_open(2)). The kernel takes
 * a buffer back when the last descriptor and mapping of it are gone, and its place in a map with the descriptor of
 * that map by which it was put there: a reader that is killed leaves nothing.
 *
 * A buffer has two descriptors. What is written by way of `waking` wakes the reader at once, which costs the writer
 * an interrupt; by way of `quiet` only when much has come together. A reader that is awake has the quiet one in the
 * map. Linux 6.0 (PERF_FORMAT_LOST).
 */
import { readSync } from 'node:fs';
import { BpfError } from './error.js';
import { close, type Fd, linux, type SharingSyscalls } from './syscall.js';

const PAGE = 4096;

/** struct perf_event_attr, by its version of Linux 5.13. */
const ATTR = {
  bytes: 128,
  type: 0,
  size: 4,
  config: 8,
  samplePeriod: 16,
  sampleType: 24,
  readFormat: 32,
  flags: 40,
  wakeup: 48,
} as const;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_BPF_OUTPUT = 10n;
const PERF_SAMPLE_RAW = 1n << 10n;
const PERF_FORMAT_LOST = 1n << 4n;
const WATERMARK = 1n << 14n;
const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_SET_OUTPUT = 0x2405;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** In struct perf_event_mmap_page, the first page; the data begin on the next. */
const HEAD = 1024;
const TAIL = 1032;

/** struct perf_event_header, and what follows in a sample: u32 its length, then its bytes. */
const RECORD = { type: 0, size: 6, raw: 8, data: 12 } as const;
const PERF_RECORD_SAMPLE = 9;

type Wakeup = { readonly records: number } | { readonly bytes: number };

function openOutput(cpu: number, wakeup: Wakeup, sys: SharingSyscalls): Fd {
  const attr = new Uint8Array(ATTR.bytes);
  const view = new DataView(attr.buffer);
  view.setUint32(ATTR.type, PERF_TYPE_SOFTWARE, true);
  view.setUint32(ATTR.size, ATTR.bytes, true);
  view.setBigUint64(ATTR.config, PERF_COUNT_SW_BPF_OUTPUT, true);
  view.setBigUint64(ATTR.samplePeriod, 1n, true);
  view.setBigUint64(ATTR.sampleType, PERF_SAMPLE_RAW, true);
  view.setBigUint64(ATTR.readFormat, PERF_FORMAT_LOST, true);
  view.setBigUint64(ATTR.flags, 'bytes' in wakeup ? WATERMARK : 0n, true);
  view.setUint32(ATTR.wakeup, 'bytes' in wakeup ? wakeup.bytes : wakeup.records, true);
  const fd = sys.call('perf_event_open', attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) throw new BpfError(`perf_event_open on CPU ${cpu}`, -fd);
  return fd;
}

function map(fd: Fd, bytes: number, sys: SharingSyscalls): bigint {
  // An address is no errno, but for the last page of them.
  const address = sys.call('mmap', 0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  if (address < 0) throw new BpfError(`mmap of ${bytes} bytes`, -address);
  return BigInt(address);
}

/** The buffer of one CPU. */
export class PerfBuffer {
  /** For a map of the type perf_event_array. */
  readonly waking: Fd;
  readonly quiet: Fd;
  readonly #sys: SharingSyscalls;
  readonly #address: bigint;
  readonly #size: number;
  readonly #pages: ArrayBuffer;
  readonly #data: DataView;
  readonly #positions: BigUint64Array;

  /** @param size a power of two of bytes, a page or more. Throws BpfError: ENODEV for a CPU that is not up. */
  constructor(cpu: number, size: number, sys: SharingSyscalls = linux) {
    this.#sys = sys;
    this.#size = size;
    this.quiet = openOutput(cpu, { bytes: size / 2 }, sys);
    const opened = [this.quiet];
    try {
      this.#address = map(this.quiet, PAGE + size, sys);
      this.waking = openOutput(cpu, { records: 1 }, sys);
      opened.push(this.waking);
      const result = sys.call('ioctl', this.waking, PERF_EVENT_IOC_SET_OUTPUT, this.quiet);
      if (result < 0) throw new BpfError('PERF_EVENT_IOC_SET_OUTPUT', -result);
    } catch (error) {
      for (const fd of opened) close(fd, sys);
      throw error;
    }
    this.#pages = sys.view(this.#address, PAGE + size);
    this.#data = new DataView(this.#pages, PAGE, size);
    this.#positions = new BigUint64Array(this.#pages, HEAD, 2);
  }

  /** Copies of the samples that have come, in their order; the room that they took is free again. */
  take(): readonly Uint8Array[] {
    const head = Atomics.load(this.#positions, 0);
    let tail = Atomics.load(this.#positions, 1);
    const samples: Uint8Array[] = [];
    while (tail < head) {
      // Records are of whole u64s: no number in one goes over the end.
      const at = this.#placeOf(tail);
      const size = this.#data.getUint16(at + RECORD.size, true);
      if (size === 0) throw new Error('a perf buffer has a record without a length');
      if (this.#data.getUint32(at + RECORD.type, true) === PERF_RECORD_SAMPLE) {
        const bytes = this.#data.getUint32(this.#placeOf(tail + BigInt(RECORD.raw)), true);
        samples.push(this.#copy(this.#placeOf(tail + BigInt(RECORD.data)), bytes));
      }
      tail += BigInt(size);
    }
    Atomics.store(this.#positions, (TAIL - HEAD) / 8, tail);
    return samples;
  }

  #placeOf(position: bigint): number {
    return Number(position & BigInt(this.#size - 1));
  }

  #copy(at: number, bytes: number): Uint8Array {
    const copy = new Uint8Array(bytes);
    const first = Math.min(bytes, this.#size - at);
    copy.set(new Uint8Array(this.#pages, PAGE + at, first));
    if (first < bytes) copy.set(new Uint8Array(this.#pages, PAGE, bytes - first), first);
    return copy;
  }

  /** How many samples did not fit since it was made. */
  get lost(): number {
    return [this.quiet, this.waking].reduce((sum, fd) => {
      const counts = new Uint8Array(16);
      readSync(fd, counts);
      return sum + Number(new DataView(counts.buffer).getBigUint64(8, true));
    }, 0);
  }

  /** Nothing may be taken any more. */
  close(): void {
    this.#sys.call('munmap', this.#address, PAGE + this.#size);
    close(this.waking, this.#sys);
    close(this.quiet, this.#sys);
  }
}
