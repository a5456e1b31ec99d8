/** Runs nft: lists, changes and watches the ruleset of the kernel. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { NftFormatError } from './check.js';
import { type Command, commandSchema } from './command.js';
import type { Document } from './document.js';
import { NftError, type NftErrorKind } from './nfterror.js';
import { reloadable } from './reload.js';
import { checkText, type ParsedDocument, parseDocument, printDocument } from './text.js';

export interface RunOptions {
  /**
   * The command: `['nft']` if not given. `['ip', 'netns', 'exec', 'blue', 'nft']` runs it in a namespace.
   */
  readonly command?: readonly string[];
  /** Ends the run, and what is waiting for it. */
  readonly signal?: AbortSignal;
}

export interface ListOptions extends RunOptions {
  /** What to list, in nft's words: `['ruleset']` if not given. */
  readonly what?: readonly string[];
  /** Options of nft, `--stateless` or `--terse` for example. */
  readonly flags?: readonly string[];
}

export interface ApplyOptions extends RunOptions {
  /** Only try whether nft and the kernel would take it. */
  readonly checkOnly?: boolean;
  /** Ask for the handles of what is added. */
  readonly echo?: boolean;
}

export interface MonitorOptions extends RunOptions {
  /** What to watch, in nft's words: `['new', 'rules']` for example; everything if not given. */
  readonly what?: readonly string[];
}

/** Debian has nft where the PATH of users doesn't look. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

function start(
  words: readonly string[],
  { command = ['nft'], signal }: RunOptions,
  input: number | 'ignore' = 'ignore',
): Running {
  const [program, ...rest] = [...command, ...words];
  if (program === undefined) throw new NftError('missing', 'no command to run');
  const path = [process.env.PATH ?? '', ...SYSTEM_PATH].filter((part) => part !== '').join(':');
  const child = spawn(program, rest, {
    stdio: [input, 'pipe', 'pipe'],
    // nft's messages are read: they must not be translated.
    env: { ...process.env, PATH: path, LC_ALL: 'C' },
    ...(signal && { signal }),
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('a process without output');
  return { child, stdout, stderr };
}

/**
 * Text as a file that only its descriptor leads to. nft opens /dev/stdin by name, and a socket, which is
 * what node makes of a pipe, can't be opened.
 */
async function asFile(text: string): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'nftables-json-'));
  try {
    const path = join(directory, 'input');
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return await open(path, 'r');
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

interface Ended {
  /** The exit status, or the name of the signal. */
  readonly status: number | string;
  readonly errors: string;
}

async function end({ child, stderr }: Running): Promise<Ended> {
  const errors: Buffer[] = [];
  stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code, killer] = await once(child, 'close');
  const status = typeof code === 'number' ? code : String(killer);
  return { status, errors: Buffer.concat(errors).toString() };
}

function missing(program: string): NftError {
  return new NftError(
    'missing',
    `no program ${program}: install the package nftables, or say where it is with the option command`,
  );
}

/** The error that a run comes to. A shell or nsenter in front of nft ends with 127 where it isn't there. */
function failure(status: number | string, errors: string): NftError {
  const kind = kindOf(status, errors);
  const words = errors.trim() || `nft ended with ${status}`;
  return kind === 'missing' ? missing('nft') : new NftError(kind, words, errors);
}

function kindOf(status: number | string, errors: string): NftErrorKind {
  if (status === 127) return 'missing';
  if (/Operation not permitted|you must be root/.test(errors)) return 'denied';
  return typeof status === 'number' && /\b(Error|error): /.test(errors) ? 'refused' : 'failed';
}

async function run(
  words: readonly string[],
  options: RunOptions,
  input?: FileHandle,
): Promise<string> {
  const running = start(words, options, input?.fd);
  const output: Buffer[] = [];
  running.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  try {
    const { status, errors } = await end(running);
    if (status !== 0) throw failure(status, errors);
    return Buffer.concat(output).toString();
  } catch (error) {
    if (isMissing(error)) throw missing(options.command?.[0] ?? 'nft');
    throw error;
  }
}

/** Has nft read the text: first only to check it. Each run opens it anew, from its start. */
async function feed(
  text: string,
  notation: readonly string[],
  { checkOnly = false, echo = false, ...options }: ApplyOptions,
): Promise<string> {
  const checked = await asFile(text);
  try {
    await run([...notation, '--check', '-f', '-'], options, checked);
  } finally {
    await checked.close();
  }
  if (checkOnly) return '';
  const applied = await asFile(text);
  try {
    return await run([...notation, ...(echo ? ['--echo'] : []), '-f', '-'], options, applied);
  } finally {
    await applied.close();
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

/** What the kernel has, as nft prints it. Throws NftError, and NftFormatError if that can't be read. */
export async function list(options: ListOptions = {}): Promise<ParsedDocument> {
  const { what = ['ruleset'], flags = [], ...rest } = options;
  return parseDocument(await run(['-j', ...flags, 'list', ...what], rest));
}

/**
 * Gives a document to nft, which makes one transaction of it: all of it comes into force or nothing. It
 * is tried with `--check` before. With `echo` the document comes back as nft prints it, with handles. A
 * listing is made `reloadable` first.
 */
export async function apply(
  document: Document,
  options: ApplyOptions = {},
): Promise<ParsedDocument | undefined> {
  const output = await feed(printDocument(reloadable(document)), ['-j'], options);
  return options.echo && !options.checkOnly ? parseDocument(output) : undefined;
}

/** The same for text in nft's own syntax. The places of its errors are lines and columns of the text. */
export async function applyText(text: string, options: ApplyOptions = {}): Promise<void> {
  await feed(text, [], { ...options, echo: false });
}

/**
 * Changes of the ruleset as they happen, as commands that would make them. Ends when the consumer stops,
 * when the signal aborts, or with NftError. Changes before nft listens are not seen: list after the
 * start to know what was there.
 */
export async function* monitor(
  options: MonitorOptions = {},
): AsyncGenerator<Command, void, undefined> {
  const { signal, ...unbound } = options;
  const running = start(['-j', 'monitor', ...(options.what ?? [])], unbound);
  const ended = end(running);
  // It is awaited when the output is over; until then a failure must not end the process.
  ended.catch(() => {});
  const stop = () => running.child.kill();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    for await (const line of createInterface({ input: running.stdout })) {
      if (line.trim() === '') continue;
      const checked = checkText(commandSchema, line);
      if (!checked.ok) throw new NftFormatError(checked.problems);
      yield checked.value;
    }
    const { status, errors } = await ended;
    if (!signal?.aborted) throw failure(status, errors);
  } catch (error) {
    if (isMissing(error)) throw missing(options.command?.[0] ?? 'nft');
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}
