/** YAML with the place of each value; loaded only where one is read. */
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Path } from './expectation.js';
import { type Finding, type Place, plainFinding } from './finding.js';

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

/** Reads and validates; every mistake of the text is a finding, and then every one of its shape. */
export function readYaml<S extends z.ZodType>(
  text: string,
  name: string,
  schema: S,
): YamlFile<z.output<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const placeOf = (from: number, to: number): Place => {
    const { line, col } = lines.linePos(from);
    const rest = text.slice(from, to).split('\n')[0]?.trimEnd() ?? '';
    return {
      file: name,
      line: Math.max(1, line),
      column: Math.max(1, col),
      length: Math.max(1, rest.length),
    };
  };
  const locate = (path: Path): Place => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return placeOf(node.range[0], node.range[1]);
    }
    return placeOf(0, 0);
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const findings = faults.map(({ code, message, pos }) => {
      const isTag = code === 'TAG_RESOLVE_FAILED';
      const said = message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message;
      const fix = isTag ? 'put a value that starts with `!` in quotes' : undefined;
      return badExpectation(placeOf(pos[0], pos[1]), said, fix);
    });
    return { ok: false, findings };
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return { ok: true, value: parsed.data, locate };
  const findings = parsed.error.issues.flatMap(flatten).map((issue) => {
    const path = stepsOf(issue.path);
    const extra = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const where = path.length === 0 ? '' : `\`${path.join('.')}\`: `;
    const place = locate(path);
    if (extra === undefined) return badExpectation(place, `${where}${lower(issue.message)}`);
    return badExpectation(
      keyPlace(text, place, extra, lines),
      `${where}there is no \`${extra}\` here`,
    );
  });
  return { ok: false, findings };
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** Where a key of the mapping that starts at the place is written. */
function keyPlace(text: string, place: Place, key: string, lines: LineCounter): Place {
  const start = (lines.lineStarts[place.line - 1] ?? 0) + place.column - 1;
  const quoted = key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(`(?<=^|[\\s{,"'])${quoted}(?=["']?\\s*:)`, 'm').exec(text.slice(start));
  if (!found) return place;
  const { line, col } = lines.linePos(start + found.index);
  return { ...place, line, column: col, length: key.length };
}
