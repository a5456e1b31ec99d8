/** Where the doctor tries hooks: a control group of its own below the root, removed again. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  attachCgroup,
  close,
  exit,
  type Fd,
  hasBpfLsm,
  loadProgram,
  movImm,
  openDirectory,
  type ProgramSpec,
  R0,
} from '@sockfilter/bpf';
import { tryHook } from './attaching.js';
import type { ProbeCall } from './callprobe.js';
import type { Tree } from './cgrouptree.js';
import type { Hook } from './hooks.js';
import { closeMaps, createLooseMaps, type Maps } from './maps.js';
import { using } from './pins.js';
import { UnsupportedError } from './unsupported.js';

/** What was found, or why it can't be told. */
export type Finding = string | { readonly untold: string };

const REFUSE_LISTEN: ProgramSpec = {
  name: 'sf_doctor',
  type: 'lsm',
  expectedAttachType: 'lsm_cgroup',
  attachFunction: 'bpf_lsm_socket_listen',
  license: 'GPL',
  items: [movImm(R0, 0), exit()],
};

const BOOT_WITH_BPF =
  'boot with `bpf` in `lsm=` on the kernel command line, and mount securityfs; peers are refused without it all the same';

/** What a call comes to that the process of `probe` makes in the control group: `ok`, or the errno. */
function callIn(probe: readonly string[], call: ProbeCall, folder: string): string {
  const [program = '', ...words] = [...probe, call, folder];
  const { stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (error) throw error;
  if (stdout === '')
    throw new Error(stderr.split('\n').find((line) => /error/i.test(line)) ?? stderr);
  return stdout.trim();
}

/** Where hooks are tried: a control group of its own below the root. */
export class Bench {
  readonly #tree: Tree;
  readonly #folder: string;
  readonly #probe: readonly string[];
  readonly #links: Fd[] = [];
  #maps: Maps | undefined;
  /** What a call there comes to while nothing is attached. */
  #before = '';

  /** `probe` is as `examine` takes it. */
  constructor(mount: string, root: string, probe: readonly string[]) {
    this.#probe = probe;
    const path = join(root, `sockfilter-doctor-${process.pid}`);
    this.#tree = { mount, root: path };
    this.#folder = join(mount, path);
  }

  make(): string {
    mkdirSync(this.#folder);
    this.#before = callIn(this.#probe, 'connect', this.#folder);
    return `${this.#tree.root}, removed again`;
  }

  makeMaps(): string {
    this.#maps = createLooseMaps();
    return `${Object.keys(this.#maps).length} of them`;
  }

  attach(hook: Hook): string {
    if (!this.#maps) throw new Error('there are no maps');
    this.#links.push(tryHook(hook, this.#tree, this.#maps));
    if ('tracepoint' in hook.attach) return 'network_ids of control groups';
    return hook.chains.join(' ') || '--deny-unseen';
  }

  /** A program of BPF LSM that refuses listen(2): whether the kernel calls such programs at all. */
  answer(hook: Hook): string {
    const found = this.attach(hook);
    if (!hasBpfLsm())
      throw new UnsupportedError(
        '/sys/kernel/security/lsm does not name `bpf`: programs of BPF LSM are not called',
        BOOT_WITH_BPF,
      );
    this.#links.push(
      using(loadProgram(REFUSE_LISTEN), (program) =>
        using(openDirectory(this.#folder), (fd) => attachCgroup(program, fd, 'lsm_cgroup')),
      ),
    );
    const said = callIn(this.#probe, 'listen', this.#folder);
    if (said === 'EPERM') return `${found}: accept(2) fails where no peer may come`;
    throw new UnsupportedError(
      `programs of BPF LSM can be attached, and are not called: listen(2) gives \`${said}\``,
      BOOT_WITH_BPF,
    );
  }

  /** Without a generation every hook refuses. */
  refuse(): Finding {
    if (this.#before !== 'ok')
      return { untold: `rules that are in force refuse a call there: ${this.#before}` };
    const after = callIn(this.#probe, 'connect', this.#folder);
    if (after === 'EPERM') return 'a process in that control group was refused';
    throw new Error(`a call with hooks that refuse all gives \`${after}\``);
  }

  remove(): void {
    for (const link of this.#links) close(link);
    if (this.#maps) closeMaps(this.#maps);
    if (existsSync(this.#folder)) rmdirSync(this.#folder);
  }
}
