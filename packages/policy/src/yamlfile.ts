/** YAML with the place of each value; loaded only where one is read. */
import { type Document, isMap, isNode, isScalar, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Path } from './expectation.js';
import { type Finding, type Place, plainFinding } from './finding.js';
import {
  type Fault,
  findFaults,
  findTextFault,
  parserFault,
  shapeFault,
  toValue,
} from './yamlfault.js';

export type YamlFile<T> =
  | { readonly ok: true; readonly value: T; readonly locate: (path: Path) => Place }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export function badExpectation(place: Place, message: string, fix?: string): Finding {
  return { ...plainFinding('SF103', place, message), fix };
}

/** The deepest issues of a union: those of the alternative that came closest. */
function flatten(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const depth = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(
      ...issues.map(({ path, code }) => path.length * 2 + (code === 'invalid_type' ? 0 : 1)),
    );
  const best = issue.errors.reduce((a, b) => (depth(b) > depth(a) ? b : a));
  return best.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

function stepsOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

type Parsed =
  | { readonly document: Document; readonly value: unknown }
  | { readonly faults: readonly Fault[] };

/** The document with its value, or what keeps it from being one. */
function parse(text: string): Parsed {
  const fault = findTextFault(text);
  if (fault) return { faults: [fault] };
  // What it would warn of is told as faults, and never by node.
  const document = parseDocument(text, { logLevel: 'error' });
  const told = [...document.errors, ...document.warnings].map(parserFault);
  const faults = told.length > 0 ? told : findFaults(document);
  if (faults.length > 0) return { faults };
  const read = toValue(document);
  return 'fault' in read ? { faults: [read.fault] } : { document, value: read.value };
}

/** From offsets to places. */
function placesIn(text: string, file: string): (from: number, to: number) => Place {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return (from, to) => {
    const line = Math.max(1, starts.findLastIndex((start) => start <= from) + 1);
    const rest = text.slice(from, to).split('\n', 1)[0]?.trimEnd() ?? '';
    const column = from - (starts[line - 1] ?? 0) + 1;
    return { file, line, column, length: Math.max(1, rest.length) };
  };
}

/** Reads and validates; every mistake of the text is a finding, and then every one of its shape. */
export function readYaml<S extends z.ZodType>(
  text: string,
  name: string,
  schema: S,
): YamlFile<z.output<S>> {
  const placeOf = placesIn(text, name);
  const read = parse(text);
  if ('faults' in read) {
    const findings = read.faults.map(({ from, to, message, fix }) =>
      badExpectation(placeOf(from, to), message, fix),
    );
    return { ok: false, findings };
  }
  const { document, value } = read;
  const rangeOf = (node: unknown): Place | undefined =>
    isNode(node) && node.range ? placeOf(node.range[0], node.range[1]) : undefined;
  const locate = (path: Path): Place => {
    for (let length = path.length; length > 0; length--) {
      const place = rangeOf(document.getIn(path.slice(0, length), true));
      if (place) return place;
    }
    return placeOf(0, 0);
  };
  /** Where a key of the mapping is written. */
  const locateKey = (path: Path, key: string): Place => {
    const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined;
    return rangeOf(pair?.key) ?? locate(path);
  };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data, locate };
  const findings = parsed.error.issues.flatMap(flatten).map((issue) => {
    const path = stepsOf(issue.path);
    const extra = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const where = path.length === 0 ? '' : `\`${path.join('.')}\`: `;
    return extra === undefined
      ? badExpectation(locate(path), `${where}${shapeFault(issue)}`)
      : badExpectation(locateKey(path, extra), `${where}there is no \`${extra}\` here`);
  });
  return { ok: false, findings };
}
