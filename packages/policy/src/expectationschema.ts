/**
 * The YAML files that people write, as zod schemas; loaded only where one is read.
 *
 *     cases:
 *       - call: { chain: BIND, group: web, proto: tcp, dst: 10.0.0.5, dport: 80 }
 *         expect: accept                  # accept, refuse, drop, or an errno
 *         by: our own address             # the deciding rule's comment, or `policy`
 *         destination: 10.0.0.9:80        # what an accepted call goes on to, and its `mark`
 *     invariants:
 *       - never: accept                   # accept, refuse or drop; or `always:`
 *         in: { chain: CONNECT, group: web, remote: "!10.0.0.0/8" }
 *       - only:
 *           in: { chain: BIND, group: web }
 *           accept:
 *             - { proto: tcp, local-port: [80, 443] }
 *
 * region.ts says what a region has; `in` takes one or a list. All may have a `name`, and say in which `state`
 * limits and quotas are. An intended
 * change has `accepted:` and `refused:`, lists of regions.
 */
import {
  BUILTIN_CHAINS,
  describeDetail,
  detailRecord,
  REJECT_ERRNO,
  readDate,
  readDestinations,
  STATE_NAMES,
} from '@sockfilter/table';
import { z } from 'zod';
import type { RegionKey } from './regionkey.js';

const value = z.union([z.string(), z.number().int().nonnegative()]);
const values = z.union([value, z.array(value).min(1)]);

const DESCRIPTIONS: Readonly<Record<RegionKey, string>> = {
  chain: BUILTIN_CHAINS.join(', '),
  group: 'name, id, range of ids, path of a control group, or `none`',
  proto: 'tcp, udp, udplite, icmp or ipv6-icmp',
  family: '4 or 6',
  local: 'address, network or range: our end of the socket',
  remote: 'address, network or range: the other end',
  'local-port': 'port or range of ports of our end',
  'remote-port': 'port or range of ports of the other end',
  src: 'where the data comes from: as `-s`',
  dst: 'where the data goes: as `-d`',
  sport: 'as `--sport`',
  dport: 'as `--dport`',
  uid: 'filesystem user id of the caller, or range: as `--uid-owner`',
  gid: 'filesystem group id of the caller, or range: as `--gid-owner`',
  mark: 'mark of the socket (SO_MARK), or `MARK/MASK`: as `--mark`',
  ...detailRecord((detail) => describeDetail(detail).text),
};

function regionShape<T extends z.ZodType>(one: T) {
  const field = (key: RegionKey) => one.optional().describe(DESCRIPTIONS[key]);
  return z.strictObject({
    chain: field('chain'),
    group: field('group'),
    proto: field('proto'),
    family: field('family'),
    local: field('local'),
    remote: field('remote'),
    'local-port': field('local-port'),
    'remote-port': field('remote-port'),
    src: field('src'),
    dst: field('dst'),
    sport: field('sport'),
    dport: field('dport'),
    uid: field('uid'),
    gid: field('gid'),
    mark: field('mark'),
    ...detailRecord(field),
  });
}

export const REGION = regionShape(values).describe(
  'A set of calls; `!` before a value excludes it',
);
const region = REGION;
const regions = z.union([region, z.array(region).min(1)]);
const verdict = z.enum(['accept', 'refuse', 'drop']);
const ERRNOS = Object.keys(REJECT_ERRNO).filter((name) => name in REJECT_ERRNO);
const name = z.string().optional().describe('What it is called in reports');

const state = z
  .enum(STATE_NAMES)
  .optional()
  .describe('Limits and quotas have all that they can give, or nothing');

const time = z
  .string()
  .refine((text) => readDate(text) !== undefined, 'a time is YYYY[-MM[-DD[Thh[:mm[:ss]]]]]')
  .optional()
  .describe('When calls come, by the clock on the wall');

const oneCase = z.strictObject({
  name,
  state,
  time,
  call: regionShape(value).describe('One call: a single value for each field'),
  expect: z.enum(['accept', 'refuse', 'drop', ...ERRNOS]),
  by: z.string().optional().describe("The comment of the rule that decides, or 'policy'"),
  destination: z
    .string()
    .refine((text) => readDestinations(text) !== undefined, {
      message: 'a destination is ADDRESS[-ADDRESS][:PORT[-PORT]], of IPv6 with a port in brackets',
    })
    .optional()
    .describe('Where the call goes on to, behind DNAT and REDIRECT: one of these'),
  mark: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .optional()
    .describe('The mark that the socket has then, behind MARK'),
});

const invariant = z.strictObject({
  name,
  state,
  time,
  never: verdict.optional().describe('No call of the region gets this verdict'),
  always: verdict.optional().describe('Every call of the region gets this verdict'),
  in: regions.optional().describe('The region that `never` or `always` is about'),
  only: z
    .strictObject({ in: regions, accept: z.array(region) })
    .optional()
    .describe('Of the calls in `in`, none outside `accept` is accepted'),
});

export const EXPECTATIONS = z
  .strictObject({
    $schema: z.string().optional(),
    cases: z.array(oneCase).optional().describe('Single calls with the verdict of each'),
    invariants: z.array(invariant).optional().describe('What holds for all calls of a region'),
  })
  .meta({ title: 'Expectations of a sockfilter rule file' });

export const INTENDED = z
  .strictObject({
    $schema: z.string().optional(),
    accepted: z.array(region).optional().describe('Exactly these calls become accepted'),
    refused: z.array(region).optional().describe('Exactly these calls become refused'),
  })
  .meta({ title: 'The intended change of a sockfilter rule file' });

export type RegionInput = z.input<typeof region>;
export type CaseInput = z.input<typeof oneCase>;
export type InvariantInput = z.input<typeof invariant>;
