/** The lines of JSON that `monitor --json` prints, as zod schemas; loaded only where they are read or asked for. */
import { BUILTIN_CHAINS } from '@sockfilter/table';
import { z } from 'zod';

const version = z.literal(1).describe('another where a member has got another meaning');
const time = z.string().describe('UTC, with microseconds');
const id = z.int().nonnegative();
/** Numbers of 64 bits, in which JSON's have no room. */
const wide = z.string().regex(/^\d+$/);

/** As an object: the type of a list has the order in which the compiler came upon its words. */
const CALL_KINDS = {
  refused: 'refused',
  audit: 'audit',
  log: 'log',
  trace: 'trace',
  passed: 'passed',
} as const;

const CALL_LINE = z.looseObject({
  version,
  kind: z.enum(CALL_KINDS),
  time,
  chain: z.enum(BUILTIN_CHAINS),
  errno: z.int().positive().optional().describe('of a refusal, and of what would have been one'),
  errnoName: z.string().optional(),
  rule: z
    .looseObject({
      chain: z.string(),
      rule: z.int().positive().nullable().describe('null for the policy'),
      text: z.string(),
      generation: z.int().nonnegative(),
    })
    .nullable()
    .describe('null where no rule had a say'),
  prefix: z.string().optional().describe('of a LOG or NFLOG, like the next two'),
  level: z.int().optional(),
  nflogGroup: z.int().optional(),
  call: z
    .looseObject({
      protocol: z.string(),
      source: z.string().optional().describe('not in BIND'),
      destination: z.string(),
    })
    .nullable()
    .describe('null where the call could not be read'),
  pid: id.optional().describe('of the caller, like the next two; absent in ACCEPT and RECVFROM'),
  tid: id.optional(),
  comm: z.string().optional(),
  holders: z
    .array(z.looseObject({ pid: id, comm: z.string() }))
    .optional()
    .describe(
      'processes that hold the socket, where no caller is known; absent where none is found',
    ),
  uid: id.optional(),
  gid: id.optional(),
  group: z.looseObject({ id, name: z.string().nullable() }),
  cgroup: z.looseObject({ id: wide, path: z.string().nullable() }),
  netns: wide.describe('the cookie of the network namespace'),
  socket: wide.describe('the cookie of the socket'),
});

const MISSING_LINE = z.looseObject({
  version,
  kind: z
    .enum(['lost', 'skipped'])
    .describe('lost: came faster than they were read; skipped: more than `--rate` allows'),
  time,
  count: z.int().positive().describe('of the events'),
});

/** A line; it may have more members. */
export const EVENT_LINE = z
  .discriminatedUnion('kind', [CALL_LINE, MISSING_LINE])
  .meta({ title: 'A line of sockfilter monitor --json' });

export type EventLine = z.infer<typeof EVENT_LINE>;
