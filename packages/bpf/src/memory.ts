/** Memory for megabytes, in large pages. */
import { linux, type Syscalls } from './syscall.js';

const LARGE_PAGE = 2 ** 21;
const MADV_HUGEPAGE = 14;

/** From so many bytes on a large page is worth its clearing. */
const WORTH = LARGE_PAGE / 8;

/**
 * Zeros, for which the kernel is asked for large pages: it takes a fault for each page that is touched first. Where it has
 * none, or does not give them to who asks, they are pages as any other. The buffer may have room behind the bytes.
 */
export function largePages(length: number, sys: Syscalls = linux): Uint8Array<ArrayBuffer> {
  if (length < WORTH) return new Uint8Array(length);
  const whole = Math.ceil(length / LARGE_PAGE) * LARGE_PAGE;
  const memory = new ArrayBuffer(whole + LARGE_PAGE);
  const past = Number(sys.address(new Uint8Array(memory)) % BigInt(LARGE_PAGE));
  const bytes = new Uint8Array(memory, LARGE_PAGE - past, whole);
  sys.call('madvise', bytes, whole, MADV_HUGEPAGE);
  return bytes.subarray(0, length);
}

const ALIGNED = 64;

/** What nobody has yet of a large page of which others have some. */
let rest = new Uint8Array();

/** The same for who writes nothing behind the bytes: several have a large page together, the clearing of which is what costs. */
export function sharedPages(length: number, sys: Syscalls = linux): Uint8Array<ArrayBuffer> {
  if (length < WORTH || length > LARGE_PAGE) return largePages(length, sys);
  if (length > rest.length) rest = largePages(LARGE_PAGE, sys);
  const bytes = rest.subarray(0, length);
  rest = rest.subarray(Math.ceil(length / ALIGNED) * ALIGNED);
  return bytes;
}
