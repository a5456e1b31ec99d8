/**
 * The folder of pins of one instance, `sockfilter/NAME` in bpffs:
 *
 *     table      the generation in force, and while one is on trial the one to go back to
 *     groups     cgroup id -> its network_ids
 *     removed    cgroup id of a removed control group -> its parent's
 *     paths      registered path or pattern -> its network_ids
 *     shapes     folder -> the shapes of the patterns in it
 *     buckets    the buckets of tests that keep many
 *     scratch    a buffer of the mkdir program, and a blank of new buckets
 *     readers    which readers of events there are
 *     events     the buffers of each reader
 *     last       the last refusal of each CPU
 *     generation-N   the generation with sequence number N; two while a commit is under way
 *     spare      the map of the generation before, to be written to (spare.ts)
 *     others     links, by the name of their hook; with a `+` one that is about to take its place
 *     next/      what is to take the place of an older release's maps and tracepoints
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { close, type Fd, mountBpffs, openPinned, pin } from '@sockfilter/bpf';
import { CapacityError } from './capacity.js';
import { requireOwnFolders } from './ownfolders.js';

/** The pins of generations, by their sequence number. */
export const GENERATION_PIN = /^generation-(\d+)$/;

export function generationPin(sequence: number): string {
  return `generation-${sequence}`;
}

/** The pin of a map that the next generation may be written to. */
export const SPARE_PIN = 'spare';

/** Ends the name of a link that is about to take another's place. */
export const REPLACING = '+';

/** The folder in which an upgrade gathers what it is about to put in place. */
const NEXT = 'next';

/** The name of the lock file has five more. @internal */
export const MAX_NAME = 250;

/** The instance's name: `-` for the whole hierarchy, else the path escaped as systemd escapes paths. */
export function instanceName(root: string): string {
  if (root === '/') return '-';
  const name = root
    .slice(1)
    .replace(/[^A-Za-z0-9:_/]/gu, (sign) =>
      [...Buffer.from(sign)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
    .replaceAll('/', '-');
  if (name.length > MAX_NAME)
    throw new CapacityError('bytes in the escaped path of --root', name.length, MAX_NAME);
  return name;
}

export class Pins {
  readonly folder: string;
  /** Where the folder lies. */
  readonly bpffs: string;

  private constructor(bpffs: string, folder: string) {
    this.bpffs = bpffs;
    this.folder = folder;
  }

  /** Those of the instance that polices the root. Throws DamageError where others than root may write. */
  static of(bpffs: string, root: string): Pins {
    const folder = join(bpffs, 'sockfilter', instanceName(root));
    requireOwnFolders(bpffs, folder);
    return new Pins(bpffs, folder);
  }

  /** Those that an upgrade has made so far. */
  next(): Pins {
    return new Pins(this.bpffs, join(this.folder, NEXT));
  }

  /** The names of all pins; none if the folder is not there. */
  list(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }

  /** Makes the folder, mounting bpffs first where there is none. Throws BpfError and DamageError. */
  create(): void {
    mountBpffs();
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    // Others may have come first.
    requireOwnFolders(this.bpffs, this.folder);
  }

  open(name: string): Fd | undefined {
    return openPinned(join(this.folder, name));
  }

  /** Opens what is pinned by the name, or pins what `make` makes. */
  openOr(name: string, make: () => Fd): Fd {
    const known = this.open(name);
    if (known !== undefined) return known;
    const fd = make();
    this.pin(name, fd);
    return fd;
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  pin(name: string, fd: Fd): void {
    pin(fd, join(this.folder, name));
  }

  unpin(name: string): void {
    rmSync(join(this.folder, name), { force: true });
  }

  /** Moves a pin, in the place of one that has its new name. */
  rename(name: string, target: Pins, newName: string = name): void {
    renameSync(join(this.folder, name), join(target.folder, newName));
  }

  /** When the object was pinned under the name, or moved to it, in milliseconds since 1970; undefined where it is not. */
  timeOf(name: string): number | undefined {
    return lstatSync(join(this.folder, name), { throwIfNoEntry: false })?.ctimeMs;
  }

  /** Whether a file has the name, and no folder: bpffs has pins and folders alone. */
  isPin(name: string): boolean {
    return lstatSync(join(this.folder, name), { throwIfNoEntry: false })?.isFile() ?? false;
  }

  /** Removes the folder and the one that it is in, if they are there and hold nothing. */
  removeFolder(): void {
    for (const folder of [this.folder, dirname(this.folder)]) {
      try {
        rmdirSync(folder);
      } catch {
        // Other instances come and go meanwhile: they have locks of their own.
      }
    }
  }
}

/** Runs the body with the descriptor and closes it. */
export function using<T>(fd: Fd, body: (fd: Fd) => T): T {
  try {
    return body(fd);
  } finally {
    close(fd);
  }
}
