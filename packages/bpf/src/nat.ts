/**
 * Chains that rewrite addresses, as the kernel has them: those of nftables, which iptables-nft makes too, by
 * netlink, and the table of iptables-legacy by its socket option. Nothing is loaded by asking, and no program is run.
 */
import { readFileSync } from 'node:fs';
import { constants, release } from 'node:os';
import { BpfError } from './error.js';
import { askNetlink, readAttributes } from './netlink.js';
import { close, linux, type Syscalls } from './syscall.js';

/** Where they rewrite a destination: as packets come in, and as the machine's own go out. */
const HOOKS = { prerouting: 0, output: 3 } as const;
type NatHook = keyof typeof HOOKS;

export interface NatChain {
  readonly hook: NatHook;
  /** `nftables, table ip nat, chain OUTPUT`. */
  readonly name: string;
}

const NETLINK_NETFILTER = 12;
const NFT_MSG_GETCHAIN = (10 << 8) | 4;
/** struct nfgenmsg: AF_UNSPEC, version 0. */
const ANY_FAMILY = new Uint8Array(4);
const NFGENMSG_BYTES = 4;
const CHAIN = { table: 1, name: 3, hook: 4, use: 6, type: 7 } as const;
const NFTA_HOOK_HOOKNUM = 1;
const FAMILIES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 10: 'ip6' };

function textOf(view: DataView | undefined): string {
  if (!view) return '';
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString();
}

function readOrNone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** Whether the module is loaded or built in: to ask one that is neither would load it. */
function isThere(module: string): boolean {
  if (new RegExp(`^${module} `, 'm').test(readOrNone('/proc/modules') ?? '')) return true;
  const builtIn = readOrNone(`/lib/modules/${release()}/modules.builtin`);
  return builtIn === undefined || builtIn.includes(`/${module}.ko`);
}

function hookOf(number: number): NatHook | undefined {
  if (number === HOOKS.output) return 'output';
  return number === HOOKS.prerouting ? 'prerouting' : undefined;
}

/** Of nftables: base chains of the type nat that have rules. */
function ofNftables(sys: Syscalls): readonly NatChain[] {
  const question = { family: NETLINK_NETFILTER, type: NFT_MSG_GETCHAIN, body: ANY_FAMILY };
  return askNetlink(question, 'netlink of the chains of nftables', sys).flatMap((message) => {
    const chain = readAttributes(message, NFGENMSG_BYTES);
    const place = chain.get(CHAIN.hook);
    const number = place && readAttributes(place).get(NFTA_HOOK_HOOKNUM)?.getUint32(0);
    const hook = number === undefined ? undefined : hookOf(number);
    const isUsed = (chain.get(CHAIN.use)?.getUint32(0) ?? 0) > 0;
    if (textOf(chain.get(CHAIN.type)) !== 'nat' || hook === undefined || !isUsed) return [];
    const family = FAMILIES[message.getUint8(0)] ?? 'netdev';
    const [table, name] = [textOf(chain.get(CHAIN.table)), textOf(chain.get(CHAIN.name))];
    return [{ hook, name: `nftables, table ${family} ${table}, chain ${name}` }];
  });
}

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
/** IPT_SO_GET_INFO and IP6T_SO_GET_INFO. */
const GET_INFO = 64;
/** struct ipt_getinfo: the table's name, then the offsets at which each hook's chain begins, and its policy. */
const INFO = { bytes: 84, entry: 36, policy: 56 } as const;

const LEGACY = [
  { names: 'ip_tables_names', program: 'iptables-legacy', family: 2, level: 0 },
  { names: 'ip6_tables_names', program: 'ip6tables-legacy', family: 10, level: 41 },
] as const;

function tablesIn(names: string): readonly string[] {
  return readOrNone(`/proc/thread-self/net/${names}`)?.split('\n') ?? [];
}

/** Of iptables-legacy: chains of its table `nat`, if that is there, with something before their policy. */
function ofLegacy(sys: Syscalls): readonly NatChain[] {
  return LEGACY.flatMap(({ names, program, family, level }) => {
    if (!tablesIn(names).includes('nat')) return [];
    const what = `getsockopt of the table nat of ${program}`;
    const socket = sys.call('socket', family, SOCK_DGRAM_CLOEXEC, 0);
    if (socket < 0) throw new BpfError(what, -socket);
    try {
      const info = new Uint8Array(INFO.bytes);
      info.set(Buffer.from('nat'));
      const length = new Uint8Array(Uint32Array.of(INFO.bytes).buffer);
      const result = sys.call('getsockopt', socket, level, GET_INFO, info, length);
      if (result < 0) throw new BpfError(what, -result);
      const view = new DataView(info.buffer);
      const begins = (at: number, hook: NatHook) => view.getUint32(at + 4 * HOOKS[hook], true);
      return (['prerouting', 'output'] as const).flatMap((hook) =>
        begins(INFO.entry, hook) === begins(INFO.policy, hook)
          ? []
          : [{ hook, name: `${program}, table nat, chain ${hook.toUpperCase()}` }],
      );
    } finally {
      close(socket, sys);
    }
  });
}

const { EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT } = constants.errno;
/** A kernel without nftables, or with a module of it that nobody has loaded. */
const NO_NFTABLES: readonly number[] = [EINVAL, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT];

/**
 * Chains with rules that may rewrite destinations, in the network namespace of the calling thread. Throws
 * `BpfError`: EPERM without CAP_NET_ADMIN.
 */
export function natChains(sys: Syscalls = linux): readonly NatChain[] {
  const legacy = ofLegacy(sys);
  if (!isThere('nf_tables')) return legacy;
  try {
    return [...ofNftables(sys), ...legacy];
  } catch (error) {
    if (error instanceof BpfError && NO_NFTABLES.includes(error.errno)) return legacy;
    throw error;
  }
}
