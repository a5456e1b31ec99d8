/** Expectations held against a rule file. */
import { intersect, isEmpty, type PacketSet, subtract, union, witness } from '@sockfilter/diagram';
import {
  assumeIn,
  destinationsOf,
  destinationText,
  errnoName,
  type Packet,
  REJECT_ERRNO,
  type Rewriting,
  readDestinations,
  rewrite,
} from '@sockfilter/table';
import { listBoxes } from './boxlist.js';
import { readCase } from './casecall.js';
import type { Code } from './catalogue.js';
import { CheckContext } from './context.js';
import type {
  CaseExpectation,
  Expectation,
  ExpectationFile,
  OnlyExpectation,
  Path,
  RegionExpectation,
} from './expectation.js';
import { type Finding, type Note, type Place, plainFinding } from './finding.js';
import { compileRegion, type Region, RegionError } from './region.js';
import { ownerNote, type RuleFile, ruleComment, sameOwner } from './rulefile.js';
import type { Fate } from './trace.js';

export interface TestResult {
  readonly name: string;
  readonly place: Place;
  /** What is wrong; none when the expectation holds. */
  readonly findings: readonly Finding[];
}

/** How many deciding rules are named. */
const MAX_DECIDERS = 8;
/** More regions of calls that violate an expectation are not listed. */
const MAX_REGIONS = 1000;

export function verdictText(errno: number): string {
  return errno === 0 ? 'accepted' : `refused with ${errnoName(errno)}`;
}

interface Span<T> {
  readonly first: T;
  readonly last: T;
}

function isWithin<T>(given: Span<T>, wanted: Span<T> | undefined): boolean {
  return !wanted || (wanted.first <= given.first && given.last <= wanted.last);
}

/** Whether the call goes on to one of the destinations, whichever it draws. */
function goesTo(packet: Packet, rewriting: Rewriting, destination: string): boolean {
  const { address, port } = readDestinations(destination) ?? {};
  const given = destinationsOf(packet, rewriting);
  const isOfFamily = !address || address.family === given.address.family;
  return isOfFamily && isWithin(given.address, address) && isWithin(given.port, port);
}

class Tester {
  readonly #context: CheckContext;
  readonly #file: ExpectationFile;

  constructor(context: CheckContext, file: ExpectationFile) {
    this.#context = context;
    this.#file = file;
  }

  test(expectation: Expectation): TestResult {
    const place = this.#file.locate(expectation.path);
    const findings = this.#guarded(expectation);
    return { name: expectation.name, place, findings };
  }

  #guarded(expectation: Expectation): readonly Finding[] {
    try {
      if (expectation.kind === 'case') return this.#case(expectation);
      return expectation.kind === 'only' ? this.#only(expectation) : this.#region(expectation);
    } catch (error) {
      if (!(error instanceof LocatedError)) throw error;
      const { path, message, help } = error;
      return [this.#finding('SF103', path, message, { fix: help })];
    }
  }

  #finding(code: Code, path: Path, message: string, more: Partial<Finding> = {}): Finding {
    const place = this.#file.locate(path);
    return { ...plainFinding(code, place, message), ...more };
  }

  #case(expectation: CaseExpectation): readonly Finding[] {
    const { call, path, circumstances } = expectation;
    const { table, tracer } = this.#context;
    const packet = located([...path, 'call'], () => readCase(call, table));
    const fates = tracer.fates(packet, { assume: assumeIn(circumstances) });
    for (const fate of fates) {
      const findings = this.#fate(expectation, packet, fate);
      if (findings.length > 0) return findings;
    }
    return [];
  }

  #fate(
    { path, verdict, errno, by, destination, mark }: CaseExpectation,
    packet: Packet,
    { errno: got, decider, asked, rewriting }: Fate,
  ): readonly Finding[] {
    const { file } = this.#context;
    const isSame = (got === 0) === (verdict === 'accept');
    const notes: Note[] = [
      ownerNote(file, decider, '', ' decides'),
      ...asked.map(({ owner, held }) =>
        ownerNote(
          file,
          owner,
          `this is so when what it asks ${held ? 'holds' : 'does not hold'}: `,
        ),
      ),
    ];
    const fail = (key: string, message: string): readonly Finding[] => [
      this.#finding('SF100', [...path, key], message, {
        notes,
        witness: this.#context.witness(packet),
      }),
    ];
    if (!isSame || (errno !== undefined && got !== REJECT_ERRNO[errno])) {
      const wanted = errno ?? (verdict === 'accept' ? 'accept' : 'a refusal');
      return fail('expect', `expected ${wanted}, but the call is ${verdictText(got)}`);
    }
    const comment = decider.rule ? ruleComment(decider.rule) : 'policy';
    if (by !== undefined && by !== comment)
      return fail('by', `expected \`${by}\` to decide, but another rule does`);
    if (got !== 0 && (destination !== undefined || mark !== undefined))
      return fail('expect', 'a call that is refused goes on to nowhere');
    if (destination !== undefined && !goesTo(packet, rewriting, destination)) {
      const to = destinationText(packet, rewriting);
      return fail('destination', `expected \`${destination}\`, but the call goes on to ${to}`);
    }
    const { mark: given } = rewrite(packet, rewriting);
    if (mark !== undefined && given !== mark)
      return fail('mark', `expected mark ${mark}, but the call goes on with ${given}`);
    return [];
  }

  #compile(regions: readonly Region[], path: Path): PacketSet {
    const { universe, table } = this.#context;
    return regions.reduce((set, region, at) => {
      const here = this.#isList(path, regions) ? [...path, at] : path;
      return union(
        set,
        located(here, () => compileRegion(universe, region, table)),
      );
    }, universe.empty);
  }

  /** A single region may stand without a list around it. */
  #isList(path: Path, regions: readonly Region[]): boolean {
    if (regions.length !== 1) return true;
    const [whole, first] = [this.#file.locate(path), this.#file.locate([...path, 0])];
    return whole.line !== first.line || whole.column !== first.column;
  }

  #region(expectation: RegionExpectation): readonly Finding[] {
    const { kind, verdict, regions, path } = expectation;
    const context = this.#context;
    const region = this.#compile(regions, [...path, 'in']);
    if (isEmpty(region)) return [this.#noCall([...path, 'in'])];
    const isBadToAccept = (kind === 'never') === (verdict === 'accept');
    const loaded = context.loadedIn(expectation.circumstances);
    const violating = intersect(region, isBadToAccept ? loaded.mayAccept : loaded.mayRefuse);
    const word = isBadToAccept ? 'accepted' : 'refused';
    return this.#violation(expectation, violating, `calls are ${word}`, isBadToAccept);
  }

  #only(expectation: OnlyExpectation): readonly Finding[] {
    const { regions, accept, path } = expectation;
    const context = this.#context;
    const within = this.#compile(regions, [...path, 'in']);
    if (isEmpty(within)) return [this.#noCall([...path, 'in'])];
    const { universe, table } = this.#context;
    let allowed = universe.empty;
    const idle: Finding[] = [];
    for (const [at, region] of accept.entries()) {
      const here = [...path, 'accept', at];
      const set = intersect(
        within,
        located(here, () => compileRegion(universe, region, table)),
      );
      if (isEmpty(set))
        idle.push(this.#noCall(here, 'no call of `in` is in this region: it allows nothing'));
      allowed = union(allowed, set);
    }
    const { mayAccept } = context.loadedIn(expectation.circumstances);
    const violating = subtract(intersect(within, mayAccept), allowed);
    const message = 'calls outside `accept` are accepted';
    return [...idle, ...this.#violation(expectation, violating, message, true)];
  }

  #noCall(
    path: Path,
    message = 'no call is in this region, so this holds whatever the rules say',
  ): Finding {
    return this.#finding('SF102', path, message);
  }

  #violation(
    { path, circumstances }: RegionExpectation | OnlyExpectation,
    violating: PacketSet,
    message: string,
    isBadToAccept: boolean,
  ): readonly Finding[] {
    const packet = witness(violating);
    if (!packet) return [];
    const { file, universe, table, tracer, loaded } = this.#context;
    const isBad = (verdict: number) => (verdict === 0) === isBadToAccept;
    const { decider, errno } = tracer.decide(packet, { assume: assumeIn(circumstances) }, isBad);
    const others = loaded
      .deciders(violating)
      .filter((counter) => !sameOwner(loaded.ownerOf(counter), decider));
    const list = listBoxes(universe, violating, table.groups, MAX_REGIONS);
    const notes: Note[] = [
      ownerNote(file, decider, '', ` decides that call: it is ${verdictText(errno)}`),
      ...others
        .slice(0, MAX_DECIDERS)
        .map((counter) => ownerNote(file, loaded.ownerOf(counter), '', ' decides others')),
      ...list.boxes.map(({ text }) => ({ message: `violated by: ${text}` })),
      ...(list.tooMany ? [{ message: 'the violating calls are too many regions to list' }] : []),
    ];
    return [
      this.#finding('SF101', path, message, { notes, witness: this.#context.witness(packet) }),
    ];
  }
}

/** A RegionError with its place. */
class LocatedError extends Error {
  readonly path: Path;
  readonly help: string | undefined;

  constructor(path: Path, message: string, help: string | undefined) {
    super(message);
    this.path = path;
    this.help = help;
  }
}

function located<T>(path: Path, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RegionError)) throw error;
    const { key, index, message, help } = error;
    throw new LocatedError([...path, key, ...(index === undefined ? [] : [index])], message, help);
  }
}

/** Tests the rule file; its table must be valid. There is always a result, so that nothing passes unasked. */
export function testFile(file: RuleFile, expected: ExpectationFile): readonly TestResult[] {
  if (expected.expectations.length === 0) {
    const place = expected.locate([]);
    const message = 'the file expects nothing';
    const finding = plainFinding('SF102', place, message);
    return [{ name: 'expectations', place, findings: [finding] }];
  }
  const tester = new Tester(new CheckContext(file), expected);
  return expected.expectations.map((expectation) => tester.test(expectation));
}
