/** Checks a value against a schema, and says what is wrong or unknown in it and where. */
import type { z } from 'zod';
import { type Path, printPath } from './path.js';
import type { ReportingContext } from './schema.js';

/** Something that isn't what it must be. */
export interface Problem {
  readonly path: Path;
  /** The path as text: `$.nftables[3].rule.expr[0]["ct count"].val`. */
  readonly place: string;
  readonly expected: string;
  /** What is there instead. */
  readonly received: string;
  readonly message: string;
}

/** A key that no schema here knows: a newer nft has brought it, or it is misspelt. */
export interface UnknownKey {
  /** Leads to the key's value. */
  readonly path: Path;
  readonly place: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly unknown: readonly UnknownKey[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What is wrong with a document, all of it. */
export class NftFormatError extends Error {
  override readonly name = 'NftFormatError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.problems = problems;
  }
}

const RECEIVED_LENGTH = 60;

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) {
    const text = JSON.stringify(value) ?? typeof value;
    return text.length > RECEIVED_LENGTH ? `${text.slice(0, RECEIVED_LENGTH)}...` : text;
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  const shown = keys.slice(0, 3).map((key) => JSON.stringify(key));
  return `an object with ${shown.join(', ')}${keys.length > shown.length ? ', ...' : ''}`;
}

const ARTICLES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  integer: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value')
    return new Intl.ListFormat('en', { type: 'disjunction' }).format(issue.values.map(String));
  if (issue.code !== 'invalid_type') return issue.message;
  const what = String(issue.expected);
  return /^an? /.test(what) ? what : what.replace(/[a-z]+/g, (name) => ARTICLES[name] ?? name);
}

function problemAt(path: Path, expected: string, received: string): Problem {
  const place = printPath(path);
  return {
    path,
    place,
    expected,
    received,
    message: `${place}: expected ${expected}, got ${received}`,
  };
}

function pathOf({ path }: z.core.$ZodIssue): Path {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

/** jansson, which nft reads JSON with, goes no deeper. */
const MAX_DEPTH = 2048;

function depthProblem(): Problem {
  return problemAt([], `no more than ${MAX_DEPTH} levels`, 'more');
}

/**
 * Checks a value that JSON.parse or a program has made. Where it is right the value itself comes back:
 * nothing is copied, left out or changed, whatever is unknown in it.
 */
export function check<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  try {
    return checkDeep(schema, value);
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, problems: [depthProblem()] };
    throw error;
  }
}

function checkDeep<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const reporting: ReportingContext = { reportUnknown: true, reportInput: true };
  const parsed = schema.safeParse(value, reporting);
  if (parsed.success) return { ok: true, value: parsed.data, unknown: [] };
  const unknown: UnknownKey[] = [];
  const problems: Problem[] = [];
  for (const issue of parsed.error.issues) {
    const path = pathOf(issue);
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys)
        unknown.push({ path: [...path, key], place: printPath([...path, key]) });
    else problems.push(problemAt(path, expectation(issue), describe(issue.input)));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: schema.parse(value), unknown };
}
