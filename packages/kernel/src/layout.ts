/**
 * What the programs and the tool agree on: the bytes of a generation.
 *
 * A generation is one array map of pages, all numbers in it little-endian (x86-64, arm64):
 *
 *     header              256 bytes, below
 *     near counters       2 KiB: those of a table that has few
 *     blob                the table as nodes of 8 bytes; a node's address is its index over all pages
 *     origins             u32 a counter: 1 + the counter of the last generation that it goes on, or 0
 *     base                u64 a counter: what it had before this generation; first come two u32, one that is 1 once the
 *                         counts of the last generation have been folded in, and the FORMAT of a newer release that is
 *                         taking its place, or 0 (where no counters lie on the header's page the header itself says so)
 *     counters            u64 a counter, in every stripe; programs add to them, nobody else writes. A stripe is whole lines of
 *                         a cache; a counter has an address as nodes have
 *     slots               u32 a test: the slot of its state, or 0 if it has none; then u32 a set: its slot
 *     summaries           u32 a node: what is known of all that it leads to (summary.ts); of tables of which parts can be
 *                         compiled alone
 *     text                the table in the save format, UTF-8
 *
 * All but the first three begin on a page of their own. What a call of a small table needs of it, header, counters and nodes, lies
 * in 4 KiB: each page of the processor's that a call touches costs it 10 to 20 ns where page tables are isolated.
 *
 * What sets hold is in maps of their own (setmap.ts), and the text says only which sets there are.
 *
 * Programs read the header and the blob and add to the counters. Everything of one table lies in one
 * map, so that a swap of one descriptor changes all of it at once.
 *
 * A node:
 *
 *     byte 0..1  value      byte 2  slot      byte 3  op      byte 4..7  target
 *
 *     LESS      goes to target if packet[slot] < value, else to the next node
 *     UNEQUAL   goes to target if packet[slot] != value, else to the next node
 *     SWITCH    goes to place number (packet[slot] - value) >> shift of those that begin at target, and to the last if there is
 *               none (differences wrap in 16 bits). It is SWITCH_NODES long, and says of how many nodes places are, see SWITCH
 *     JUMP      goes to target
 *     COUNT     adds one to counter `target`, goes to the next node
 *     VERDICT   adds one to counter `target`; the call fails with errno `value`, or proceeds if it is 0
 *     REPORT    an event of kind `value` says that counter `target` was come to; goes to the next node
 *     REWRITE   packet[slot] = (packet[slot] & the upper half of target) ^ the lower half; goes to the next node. The
 *               call goes on with what it is then; `value` says what that is of it, see REWRITES
 *     ASK       asks an opaque test; goes to target if that does not hold, else to the node behind it. It is
 *               ASK_NODES long, see NODE
 *
 * A slot is one of the packet's pieces, or RANK behind them, which REWRITE sets and LESS, UNEQUAL and SWITCH ask as any
 * other: what matched first in the layers of a chain.
 *
 * "The next node" is always on the same page, and so are the places of a SWITCH. What is left of a place is 0, as a LESS that holds for
 * nothing.
 */

/** Bytes of a page, the value_size of every generation: inner maps must share it. */
const PAGE_BITS = 16;
export const PAGE_BYTES = 1 << PAGE_BITS;

/** Nodes on a page. */
export const NODE_BITS = PAGE_BITS - 3;
export const NODES_PER_PAGE = 1 << NODE_BITS;

/** Counters on a page, as many as nodes. */
export const COUNTERS_PER_PAGE = PAGE_BYTES / 8;

/** Counters in a line of a cache, of which a stripe takes whole ones. */
export const COUNTERS_PER_LINE = 8;

/** Bytes of the header. */
export const HEADER_BYTES = 256;

/** Addresses behind the header that are kept for counters. */
export const NEAR_COUNTERS = { first: HEADER_BYTES / 8, count: 256 } as const;

/** Address of the first node. */
export const FIRST_NODE = NEAR_COUNTERS.first + NEAR_COUNTERS.count;

/** Bytes before it. */
export const HEAD_BYTES = 8 * FIRST_NODE;

/** Those from `count` on do something, the others find the way. */
export const OP = {
  less: 0,
  unequal: 1,
  jump: 2,
  switch: 3,
  count: 4,
  verdict: 5,
  ask: 6,
  report: 7,
  rewrite: 8,
} as const;

/** Nodes that one SWITCH takes. */
export const SWITCH_NODES = 2;

/**
 * The third word of a SWITCH: the number of the last place, then base 2 logarithms of the nodes that a place has and of the values
 * that lead there. The fourth is 0.
 */
export const SWITCH = { places: 8, lastMask: 0xffff, width: 16, shift: 24, partMask: 0xf } as const;

/** The places of a SWITCH, as its third word says them. */
export interface Places {
  readonly last: number;
  readonly width: number;
  readonly shift: number;
}

export const wordOf = ({ last, width, shift }: Places): number =>
  last | (width << SWITCH.width) | (shift << SWITCH.shift);

export const placesIn = (word: number): Places => ({
  last: word & SWITCH.lastMask,
  width: (word >>> SWITCH.width) & SWITCH.partMask,
  shift: (word >>> SWITCH.shift) & SWITCH.partMask,
});

/** The address of the place for a piece that is so much more than the first value, of places that begin at `first`. */
export const placeFor = (first: number, { last, width, shift }: Places, more: number): number =>
  first + (Math.min((more & 0xffff) >>> shift, last) << width);

/** What a REWRITE changes, the bits of its `value`. */
export const REWRITES = { mark: 1, destination: 2 } as const;

/** Nodes that one ASK takes. */
export const ASK_NODES = 6;

/** An ASK: `value` is the number of its kind, and whether it is negated; then bytes of the whole. */
export const NODE = {
  kindMask: 0xff,
  negatedShift: 8,
  /** u32: the number of the test in its table. */
  test: 8,
  /** u32: the slot of its state, or of the set that it asks. */
  state: 12,
  /** A u64 for each. */
  parameters: 16,
} as const;

/**
 * Slots of states. They lie in a map of their own, so that a state outlives every commit that keeps its rule.
 * The first is the clock's, see CLOCK_STATE: tests without a state have it.
 */
export const STATE_SLOTS = 16_384;

/** Slot 0: seconds, signed, that make atomic time UTC and the time of the kernel's zone. */
export const CLOCK_STATE = { slot: 0, utc: 0, local: 8 } as const;

/** Bytes of a state: those of different tests share no line of a cache. */
export const STATE_BYTES = 64;

/** Tests with a state of a table: those of two fit, as there are two while one follows another. */
export const MAX_STATES = STATE_SLOTS / 2 - 1;

/**
 * Buckets of tests that keep many: in a hash map of their own, so many together under one lock, in the order of
 * BUCKET. Which of them a call's may lie in is said by the key: the slot of the test, the network_id where the
 * test asks for it, and some bits of a hash of the rest.
 */
export const BUCKETS_KEY = { slot: 0, group: 4, hash: 8, bytes: 12 } as const;

/** A u64, when it will be full, in ns since boot; then what the calls agree in, in words of 8 bytes. */
export const BUCKET = { full: 0, key: 8, words: 5, bytes: 48 } as const;

export const BUCKETS_TOGETHER = 16;
export const BUCKETS_VALUE = { first: 8, bytes: 8 + BUCKETS_TOGETHER * BUCKET.bytes } as const;

/** Entries of that map; what one group, or all where no group is asked for, can have of them at most. */
export const BUCKETS_ENTRIES = 65_536;
export const MOST_BUCKETS_ENTRIES = BUCKETS_ENTRIES / 4;

/** Slots of sets. Sets of two tables fit, as there are two while one follows another. */
export const SET_SLOTS = 4096;

/** Sets of a table. */
export const MAX_SETS = SET_SLOTS / 2 - 1;

/**
 * The key of an element: how many bits of what follows count, which the maps of networks alone have; then the
 * port in host byte order, the protocol and a 0; then the address in network order, 16 bytes of which one of
 * IPv4 has the last four. What the type of the set has not is 0.
 */
export const SET_KEY = { prefix: 0, port: 4, protocol: 6, address: 8, bytes: 24 } as const;

/**
 * An element: a u64, when its time is over, in ns since boot, or 0 for never; and one of which the lower 16 bits are the
 * prefix of its key and `NOMATCH`, the others what it has counted.
 */
export const SET_VALUE = { expires: 0, word: 8, bytes: 16 } as const;

/** Of an element's word: it is an exception; and by how much it is more for each call counted. */
export const NOMATCH = 0x8000;
export const COUNTED_ONE = 0x1_0000;

/** The comment of an element, by the whole of SET_KEY: text that ends in zeros. */
export const SET_COMMENT = { bytes: 256 } as const;

/**
 * What a bind(2) asked for that was given another destination, in the storage of its socket: addresses as four words in
 * network order, of IPv4 in the last one; ports in host order and the family, each a u32 or the lower half of one; what
 * the call has drawn, a u16 and two, the upper first.
 */
export const BOUND = {
  asked: 0,
  given: 16,
  askedPort: 32,
  givenPort: 36,
  family: 40,
  persistence: 42,
  chance: 44,
  bytes: 48,
} as const;

/**
 * Peers that a socket has asked for and was given others, in its storage: a u32, where the next one is put when all
 * places are taken, and places with what BOUND has each. A peer given last takes the place of an equal one.
 */
export const PEERS = { next: 0, first: 8, count: 4, bytes: 8 + 4 * BOUND.bytes } as const;

/** Steps that a walk may take; past them it refuses the call. The compiler never makes so long a path. */
export const MAX_STEPS = 512;

/** The most that a walk of what is put in force takes. */
export const MOST_STEPS = MAX_STEPS - 1;

/** Byte offsets of the header's u32 fields. */
export const HEADER = {
  /** FORMAT of the tool that wrote it. */
  format: 0,
  /** Which of the two ids of a cgroup holds for this generation: 0 or 1. */
  idSlot: 4,
  /** Bit n: chain n tests the network_id, so a cgroup without an entry fails closed there. */
  groupChains: 8,
  /** Bit n: chain n can refuse, so a field that can't be read refuses there. */
  refusingChains: 12,
  /** Before format 16, 0 since: first page of the counters, and pages of a stripe. */
  counterPage: 16,
  stripePages: 20,
  /** Stripes of counters - 1 (a mask). */
  stripeMask: 24,
  /** Address of the first node of chain n, in BUILTIN_CHAINS' order. */
  entries: 28,
  /** A u64 that is 0, for what the verifier shall not know to be 0. */
  zero: 80,
  /** Which assignment of network_ids the slot holds: an entry of another fails closed. */
  idEpoch: 88,
  /** Bit n: chain n tests uid or gid, so that the hooks of its calls read whose they are. */
  ownerChains: 92,
  /**
   * A u64: when the generation is to be undone, in ns since boot (CLOCK_BOOTTIME); 0 for never. Past it
   * programs walk the generation of the table's other slot.
   */
  deadline: 96,
  /** Bit n: chain n looks at the socket's mark, or keeps bits of it. */
  markChains: 136,
  /** Bit n: chain n may give a call another destination than the one that it names. */
  leadingChains: 140,
  /** A u32 for each chain in BUILTIN_CHAINS' order: the details that it asks for, see readBit(). */
  details: 160,
  /** 1 if sockets whose calls no hook sees can't be made. */
  denyUnseen: 116,
  /**
   * Three addresses of first nodes: whether any peer may reach a listener at an address, at the wildcard of a
   * family, at `::` for both. 0 where that is not told.
   */
  listeners: 124,
  /** What only the tool reads. */
  programs: 104,
  /** What is known of the table without its text, see traits.ts; 0 where nothing is. */
  traits: 200,
  writtenNodes: 208,
  /** Four bits for each chain in BUILTIN_CHAINS' order: in how many layers its rules are, 0 for one diagram. */
  layers: 212,
  /** First page of what nodes lead to; 0 where that is not kept. */
  summaryPage: 216,
  /**
   * A u32 for each chain in BUILTIN_CHAINS' order: where all of its calls pass by one verdict, unasked for anything, one more than
   * its counter, else 0.
   */
  settled: 228,
  /** Address of the first counter, and how far stripes are apart. */
  firstCounter: 220,
  stripeLength: 224,
  sequence: 48,
  counters: 52,
  originPage: 56,
  basePage: 60,
  textPage: 64,
  textBytes: 68,
  nodes: 72,
  rules: 76,
  tests: 108,
  slotPage: 112,
  sets: 120,
} as const;

/**
 * Changes with any change of this file's meaning, of the maps' shapes, or of the hooks in their order (traits.ts). A
 * release takes over what an older one has put in force, so what it must read for that stays where it is in every
 * format: the table's slot 0, in it the generation's fields `format`, `sequence`, `counters`, `counterPage`,
 * `stripePages`, where that is 0 `firstCounter` and `stripeLength`, `stripeMask`, `originPage`, `basePage`, `textPage` and `textBytes`, the text, and what origins, base
 * and counters mean; and the pins' names of the table and of the hooks. From format 6 on what sets hold is to be read
 * too: the fields `tests`, `slotPage` and `sets`, the slots behind those of tests, the pins `sets` and `nets`,
 * SET_KEY and SET_VALUE; from format 13 on the pin `comments` and SET_COMMENT.
 */
export const FORMAT = 17;

/** The table's slots: the generation in force, and the one to go back to past its deadline. */
export const TABLE_SLOTS = { inForce: 0, fallback: 1, count: 2 } as const;

/** The first two u32 of what counters had before. */
export const BASE = { folded: 0, mark: 4 } as const;

/** Stripes of counters at most: more CPUs than that share. */
export const MAX_STRIPES = 8;

/**
 * A control group's entry: the cgroup's id and its parent's, then its network_id under each of the two
 * id slots, and the assignment that each of them is of. A hash map reuses the memory of an entry while a
 * program may still look at it; the cgroup's id, read last, tells that the network_id was this cgroup's.
 */
export const GROUP_VALUE = { cgroup: 0, parent: 8, ids: 16, epochs: 24, bytes: 32 } as const;

/** The entry of a control group that was removed and that sockets still belong to. */
export const REMOVED_VALUE = { cgroup: 0, parent: 8, bytes: 16 } as const;

/** Removed control groups between a socket's and the nearest that is there; past them it fails closed. */
export const MAX_REMOVED_LEVELS = 32;

/** The assignment of a first commit; later ones are any other number but 0, which is none. */
export const FIRST_EPOCH = 1;

/** A registered path's or pattern's entry: its network_id under each of the two id slots, 0 for none. */
export const PATH_VALUE_BYTES = 8;

/** Rules of a table. */
export const MAX_RULES = 1_000_000;

/**
 * Bytes of a registered path's key, with at least one NUL at the end. In the key of a pattern a newline,
 * which no control group's name has, stands for the `*`.
 */
export const PATH_BYTES = 512;
export const PATTERN_SIGN = '\n';

/**
 * A folder's shapes: how many, then the length of what stands before and after the `*` for each of its
 * patterns, both slots', in bytes. With the lengths the key of the only pattern that could match a name is
 * known.
 */
export const SHAPES = { count: 0, first: 2, each: 2, most: 64, bytes: 130 } as const;

/** Patterns of one folder; there are twice as many while one assignment follows another. */
export const MAX_PATTERNS_IN_FOLDER = SHAPES.most / 2;

/** Bytes of the mkdir program's buffer: a key that is put together, and a path. */
export const SCRATCH_BYTES = 2048;

/** The entries of its map: that buffer, and one that stays 0, of which new buckets are made. */
export const SCRATCH_ENTRIES = { mkdir: 0, blank: 1, total: 2 } as const;

/** Paths and patterns that a table can register. */
export const MAX_PATHS = 65_536;

/** Entries of their map: while one assignment follows another there are those of two tables. */
export const PATH_ENTRIES = 2 * MAX_PATHS;
