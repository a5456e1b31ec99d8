/** What a call that was refused for want of a privilege lacks (capabilities(7), kernel/bpf/syscall.c). */
import { readFileSync } from 'node:fs';

/** Bits of linux/capability.h. */
const CAPABILITIES = {
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_NET_ADMIN: 12,
  CAP_SYS_ADMIN: 21,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;

type Capability = keyof typeof CAPABILITIES;

/** In bpf(2) CAP_SYS_ADMIN stands for these. */
const OF_SYS_ADMIN: ReadonlySet<Capability> = new Set(['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON']);

/** What calls ask for, by the start of their names. The first that fits holds. */
const NEEDS: readonly (readonly [RegExp, readonly Capability[]])[] = [
  [/^mount /, ['CAP_SYS_ADMIN']],
  [/^open_by_handle_at /, ['CAP_DAC_READ_SEARCH']],
  [/^BPF_\w+_BY_ID|^BPF_\w+_NEXT_ID/, ['CAP_SYS_ADMIN']],
  [/^BPF_OBJ_(GET|PIN) /, ['CAP_BPF', 'CAP_DAC_OVERRIDE']],
  [/^BPF_PROG_QUERY /, ['CAP_NET_ADMIN']],
  [/^BPF_LINK_\w+ /, ['CAP_BPF', 'CAP_NET_ADMIN']],
  [/^BPF_PROG_LOAD |^BPF_RAW_TRACEPOINT_OPEN /, ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON']],
  [/^perf_event_open /, ['CAP_PERFMON']],
  [/^BPF_/, ['CAP_BPF']],
];

/** What a process may do: texts of /proc/self/status and /proc/self/uid_map. */
export interface Privileges {
  readonly status: string;
  readonly uidMap: string;
}

function readPrivileges(): Privileges {
  const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8');
  return { status: read('status'), uidMap: read('uid_map') };
}

/**
 * What is missing for a call that was refused with EPERM or EACCES, in words; undefined for one that asks for
 * no privilege.
 *
 * @param call as BpfError names it, with the command first
 */
export function missingPrivilege(
  call: string,
  { status, uidMap }: Privileges = readPrivileges(),
): string | undefined {
  const needed = NEEDS.find(([name]) => name.test(call))?.[1];
  if (!needed) return undefined;
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(uidMap))
    return 'this is a user namespace, whose root has no privilege over the machine: run it as root outside of it';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (name: Capability) => (effective >> BigInt(CAPABILITIES[name])) % 2n === 1n;
  const missing = needed.filter(
    (name) => !has(name) && !(OF_SYS_ADMIN.has(name) && has('CAP_SYS_ADMIN')),
  );
  if (missing.length > 0)
    return `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing: run it as root with all capabilities`;
  return 'no capability is missing: seccomp, as in containers, a security module or kernel lockdown refuses it';
}
