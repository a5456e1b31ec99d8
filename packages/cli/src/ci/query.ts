/** `sockfilter query`: which calls of a region are accepted or refused. */
import { EXIT, writeJson } from '@sockfilter/language';
import {
  jsonWitness,
  Query,
  queryPage,
  REGION_KEYS,
  type Region,
  RegionError,
  type RegionKey,
  type RuleFile,
  regionOfBox,
} from '@sockfilter/policy';
import type { Circumstances } from '@sockfilter/table';
import { printColumns } from '../columns.js';
import { CommandError, DiagnosticsError } from '../failure.js';
import type { Globals } from '../globals.js';
import { print } from '../output.js';
import { pageOptions, writePage } from './page.js';
import { withinLimits } from './reporting.js';
import { readSide, Sources } from './rulesource.js';

export interface QueryWords {
  readonly verdict: string;
  readonly file: string | undefined;
  readonly region: Partial<Readonly<Record<RegionKey, readonly string[]>>>;
  readonly circumstances: Circumstances;
  readonly matrix: boolean;
  readonly json: boolean;
  /** A page to write in the place of the answer on standard output. */
  readonly report: string | undefined;
}

function readRegion(words: QueryWords['region']): Region {
  const region: { -readonly [K in keyof Region]: Region[K] } = {};
  for (const key of REGION_KEYS) {
    const values = words[key]?.flatMap((value) => value.split(','));
    if (values) region[key] = values;
  }
  return region;
}

async function readAsked(spec: string, globals: Globals, sources: Sources): Promise<RuleFile> {
  const { file, document, findings } = await readSide(spec, globals, sources);
  if (file) return file;
  const diagnostics = findings.map(({ message, place, fix }) => {
    const { file: source, ...at } = place;
    return { code: 'bad-line', message, span: { source, ...at }, exit: 2, help: fix } as const;
  });
  throw new DiagnosticsError(diagnostics, document?.source ?? { name: spec, text: '' });
}

const SIGNS = { all: 'all', some: 'some', none: '-', 'no call': '' } as const;

function printMatrix(query: Query, json: boolean): string {
  const matrix = query.matrix();
  if (json) return writeJson(matrix);
  const legend = matrix.columns.map((column, at) => [`${at + 1}`, column]);
  const head = ['', ...matrix.columns.map((_, at) => `${at + 1}`)];
  const rows = matrix.rows.map(({ label, cells }) => [label, ...cells.map((cell) => SIGNS[cell])]);
  const coarse = matrix.isCoarse ? 'some columns stand for several destinations\n' : '';
  return `${printColumns([head, ...rows])}\n${printColumns(legend)}${coarse}`;
}

function printRegions(query: Query, { verdict, json }: QueryWords): string {
  const { boxes, tooMany } = query.regions();
  if (tooMany)
    throw new CommandError(
      'the answer is too many regions to list',
      EXIT.resource,
      'ask about a smaller region',
    );
  if (json) {
    const regions = boxes.map(({ box, text, packet, becomes }) => ({
      region: regionOfBox(box),
      text,
      ...(becomes !== undefined && { becomes }),
      witness: jsonWitness(query.witness(packet)),
    }));
    return writeJson({ verdict, regions });
  }
  if (boxes.length === 0) return query.isVoid ? 'no call is in the region\n' : 'none\n';
  return boxes
    .map(({ text, becomes }) => (becomes === undefined ? text : `${text}: with ${becomes}`))
    .map((line) => `${line}\n`)
    .join('');
}

export async function query(globals: Globals, words: QueryWords): Promise<void> {
  const sources = new Sources();
  const spec = words.file ?? globals.file ?? 'live';
  const file = await readAsked(spec, globals, sources);
  const verdict = words.verdict === 'accept' ? 'accept' : 'refuse';
  const region = readRegion(words.region);
  try {
    const text = withinLimits(spec, () => {
      if (words.report !== undefined) {
        writePage(words.report, queryPage(file, { verdict, region }, pageOptions(sources)));
        return '';
      }
      const asked = new Query(file, verdict, region, words.circumstances);
      return words.matrix ? printMatrix(asked, words.json) : printRegions(asked, words);
    });
    print(text);
  } catch (error) {
    if (!(error instanceof RegionError)) throw error;
    throw new CommandError(`\`--${error.key}\`: ${error.message}`, EXIT.usage, error.help);
  }
}
