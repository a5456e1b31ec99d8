/** What `diff --format json` and `query --json` print, as zod schemas; loaded only where one is asked for. */
import { BUILTIN_CHAINS, describeDetail, detailRecord } from '@sockfilter/table';
import { z } from 'zod';
import { CHANGE_KINDS } from './change.js';
import { EVENT_LINE } from './eventschema.js';
import { EXPECTATIONS, INTENDED, REGION } from './expectationschema.js';

const place = {
  file: z.string(),
  line: z.int().positive().describe('counted from 1'),
  column: z.int().positive().describe('counted from 1'),
  endColumn: z.int().nonnegative().describe('the column after the last'),
};

const witness = z
  .strictObject({
    call: z.string().describe('the call in words'),
    command: z.string().describe('the command that shows how it is decided'),
    packet: z.strictObject({
      chain: z.enum(BUILTIN_CHAINS),
      group: z.int().nonnegative(),
      family: z.union([z.literal(4), z.literal(6)]),
      protocol: z.string(),
      source: z.string(),
      destination: z.string(),
      sourcePort: z.int(),
      destinationPort: z.int(),
      flags: z.int(),
      uid: z.int(),
      gid: z.int(),
      mark: z.int(),
      ...detailRecord((detail) => z.string().optional().describe(describeDetail(detail).text)),
    }),
  })
  .describe('one call of many');

const note = z.strictObject({
  message: z.string(),
  file: place.file.optional(),
  line: place.line.optional(),
  column: place.column.optional(),
  endColumn: place.endColumn.optional(),
});

const region = REGION.describe('The calls, in the words that expectations and queries have');

const changedRegion = z.strictObject({
  kind: z.enum(CHANGE_KINDS),
  region,
  text: z.string().describe('the region in a line; long lists are cut'),
  witness,
  before: z.array(note).describe('what decides its calls in the old file, the witness first'),
  after: z.array(note).describe('what decides its calls in the new file, the witness first'),
});

const finding = z.looseObject({
  code: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  title: z.string(),
  ...place,
  message: z.string(),
  notes: z.array(note),
  witness: witness.optional(),
  fix: z.string().optional(),
});

/** Of `diff OLD NEW`. */
const DIFF_ANSWER = z
  .looseObject({
    tool: z.literal('sockfilter'),
    version: z.string(),
    command: z.literal('diff'),
    exit: z.int(),
    summary: z.string(),
    files: z.array(
      z.looseObject({
        file: z.string(),
        cases: z.array(z.looseObject({ findings: z.array(finding) })),
      }),
    ),
    same: z.boolean().optional().describe('absent where a file cannot be read or parsed'),
    regions: z.array(changedRegion).optional().describe('all of the change, and nothing twice'),
    groups: z.array(z.string()).optional().describe('groups that came, went or moved'),
    rules: z.array(z.string()).optional().describe('rules that differ, a line for each chain'),
    unlisted: z.array(z.string()).optional().describe('kinds with more regions than are listed'),
  })
  .meta({ title: 'What sockfilter diff OLD NEW --format json prints' });

const QUERY_ANSWER = z
  .strictObject({
    verdict: z.enum(['accept', 'refuse']),
    regions: z.array(
      z.strictObject({
        region,
        text: z.string(),
        becomes: z
          .string()
          .optional()
          .describe('what its calls go on with: `destination 10.0.0.5, port 80` or `mark 0x1`'),
        witness,
      }),
    ),
  })
  .meta({ title: 'What sockfilter query --json prints' });

/** Of the files that people write, and of what commands print. */
export const SCHEMAS = {
  expectations: EXPECTATIONS,
  intended: INTENDED,
  diff: DIFF_ANSWER,
  query: QUERY_ANSWER,
  event: EVENT_LINE,
};

export function toJsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { io: 'input' });
}
