/** From the text of an expectation file to expectations; loaded only where one is read. */
import { type Circumstances, isRejectErrno, readDate } from '@sockfilter/table';
import type {
  CaseExpectation,
  Expectation,
  ExpectationFile,
  IntendedChange,
  Path,
  Verdict,
} from './expectation.js';
import {
  type CaseInput,
  EXPECTATIONS,
  INTENDED,
  type InvariantInput,
  type RegionInput,
} from './expectationschema.js';
import type { Finding } from './finding.js';
import { type Region, regionText } from './region.js';
import { REGION_KEYS } from './regionkey.js';
import { badExpectation, readYaml } from './yamlfile.js';

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

function toRegion(input: RegionInput): Region {
  const region: { -readonly [K in keyof Region]: Region[K] } = {};
  for (const key of REGION_KEYS) {
    const given = input[key];
    if (given !== undefined) region[key] = (Array.isArray(given) ? given : [given]).map(String);
  }
  return region;
}

function toRegions(input: RegionInput | readonly RegionInput[]): readonly Region[] {
  return 'map' in input ? input.map(toRegion) : [toRegion(input)];
}

function circumstancesOf({ state, time }: Pick<CaseInput, 'state' | 'time'>): Circumstances {
  return { state, time: time === undefined ? undefined : readDate(time) };
}

function toVerdict(word: string): Verdict {
  return word === 'accept' ? 'accept' : 'refuse';
}

function toCase(
  { name, call, expect, by, destination, mark, ...moment }: CaseInput,
  path: Path,
): CaseExpectation {
  const region = toRegion(call);
  return {
    kind: 'case',
    name: name ?? `${expect} ${regionText(region)}`,
    path,
    circumstances: circumstancesOf(moment),
    call: region,
    verdict: toVerdict(expect),
    errno: isRejectErrno(expect) ? expect : undefined,
    by,
    destination,
    mark,
  };
}

const SHAPE = 'an invariant has `never` and `in`, `always` and `in`, or `only`';

function toInvariant(
  { name, never, always, in: within, only, ...moment }: InvariantInput,
  path: Path,
): Expectation | undefined {
  const given = [never, always, only].filter((each) => each !== undefined);
  if (given.length !== 1 || (only === undefined) !== (within !== undefined)) return undefined;
  if (only) {
    const regions = toRegions(only.in);
    return {
      kind: 'only',
      name: name ?? `only some of ${regions.map(regionText).join('; ')}`,
      path: [...path, 'only'],
      circumstances: circumstancesOf(moment),
      regions,
      accept: only.accept.map(toRegion),
    };
  }
  const word = never ?? always;
  if (word === undefined || within === undefined) return undefined;
  const kind = never === undefined ? 'always' : 'never';
  const regions = toRegions(within);
  const said = `${kind} ${word} ${regions.map(regionText).join('; ')}`;
  return {
    kind,
    name: name ?? said,
    path,
    circumstances: circumstancesOf(moment),
    verdict: toVerdict(word),
    regions,
  };
}

/** Reads `*.test.yaml`. */
export function readExpectations(text: string, name: string): Read<ExpectationFile> {
  const read = readYaml(text, name, EXPECTATIONS.nullable());
  if (!read.ok) return read;
  const { locate } = read;
  const { cases = [], invariants = [] } = read.value ?? {};
  const expectations: Expectation[] = cases.map((each, at) => toCase(each, ['cases', at]));
  const findings: Finding[] = [];
  for (const [at, each] of invariants.entries()) {
    const path = ['invariants', at];
    const expectation = toInvariant(each, path);
    if (expectation) expectations.push(expectation);
    else findings.push(badExpectation(locate(path), SHAPE));
  }
  if (findings.length > 0) return { ok: false, findings };
  return { ok: true, value: { name, expectations, locate } };
}

/** Reads the file of `--intended`. */
export function readIntended(text: string, name: string): Read<IntendedChange> {
  const read = readYaml(text, name, INTENDED.nullable());
  if (!read.ok) return read;
  const { accepted = [], refused = [] } = read.value ?? {};
  const change = { name, accepted: accepted.map(toRegion), refused: refused.map(toRegion) };
  return { ok: true, value: { ...change, locate: read.locate } };
}
