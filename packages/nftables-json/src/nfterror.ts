/** What can go wrong when nft runs. */
import { type Path, printPath } from './path.js';

/** What nft says about its input, with its place as nft has it. */
export interface NftMessage {
  readonly severity: 'error' | 'warning';
  readonly text: string;
  /** The file, or `internal` where nft reads JSON: then it has no lines. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** First and last column, from 1. */
  readonly columns?: readonly [number, number];
  /** The line of input that nft shows. */
  readonly shown?: string;
  /** Where in the document, as far as nft says: the command, and the statement in its rule. */
  readonly path?: Path;
}

/**
 * - `missing`: nft isn't there;
 * - `denied`: it may not do that for this user;
 * - `refused`: it, or the kernel, refuses what was asked for;
 * - `failed`: it died, or has printed what it should not.
 */
export type NftErrorKind = 'missing' | 'denied' | 'refused' | 'failed';

export class NftError extends Error {
  override readonly name = 'NftError';
  readonly kind: NftErrorKind;
  readonly messages: readonly NftMessage[];
  /** All that nft wrote to its standard error. */
  readonly output: string;

  constructor(kind: NftErrorKind, fallback: string, output = '') {
    const messages = readMessages(output);
    super(messages.map(printMessage).join('\n') || fallback);
    this.kind = kind;
    this.output = output;
    this.messages = messages;
  }
}

/** A message with its place: in the document if nft says where, else in its input. */
function printMessage({ text, path, file, line, columns }: NftMessage): string {
  if (path !== undefined) return `${printPath(path)}: ${text}`;
  return line === undefined ? text : `${file}:${line}:${columns?.join('-')}: ${text}`;
}

const PLACED = /^(?:(.+?):(?:(\d+):(\d+)-(\d+):)? )?(Error|Warning): (.*)$/;

/** Reads what nft writes to its standard error. */
export function readMessages(output: string): readonly NftMessage[] {
  const lines = output.split('\n');
  const messages: NftMessage[] = [];
  let command: number | undefined;
  let statement: number | undefined;
  lines.forEach((line, at) => {
    const [, file, row, first, last, severity, text] = PLACED.exec(line) ?? [];
    if (text === undefined) return;
    command = indexIn(text, 'command') ?? command;
    statement = indexIn(text, 'expr') ?? statement;
    const shown = /^\s*\^/.test(lines[at + 2] ?? '') ? lines[at + 1] : undefined;
    messages.push({
      severity: severity === 'Warning' ? 'warning' : 'error',
      text,
      ...(file !== undefined && { file }),
      ...(Number(row) > 0 && { line: Number(row), columns: [Number(first), Number(last)] }),
      ...(shown !== undefined && { shown }),
    });
  });
  if (command === undefined) return messages;
  const path: Path = [
    'nftables',
    command,
    ...(statement === undefined ? [] : ['rule', 'expr', statement]),
  ];
  return messages.map((message) => ({ ...message, path }));
}

/** The index in a message that an array of the document could not be read. */
function indexIn(text: string, array: 'command' | 'expr'): number | undefined {
  const [, index] = new RegExp(`^Parsing ${array} array at index (\\d+) failed`).exec(text) ?? [];
  return index === undefined ? undefined : Number(index);
}
