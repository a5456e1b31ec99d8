/**
 * The hook of setsockopt(2): refuses the options that lead packets past what a chain has judged.
 *
 * The hooks of calls see most of them when they judge (detour.ts). This one is for what is set after
 * that: a connected socket's sends come by no hook. Context: struct bpf_sockopt (linux/bpf.h). It runs
 * for every option of every socket below the root, so the rest leave at once.
 */
import {
  add,
  addImm,
  exit,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R9,
  store,
  sub,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { FAILED, findGeneration, LICENSE, REFUSED, unlessRefusing } from './generation.js';

const CTX = { value: 8, valueEnd: 16, level: 24, name: 28, length: 32 } as const;

interface Option {
  readonly level: number;
  readonly name: number;
  /** The chains that it gets round. */
  readonly chains: readonly BuiltinChain[];
  /** When it does: with more bytes than these, or with a source route in them. */
  readonly when: number | 'sourceRoute';
}

const SOL_IP = 0;
const SOL_IPV6 = 41;
const SENDS: readonly BuiltinChain[] = ['CONNECT', 'SENDTO'];

/** struct in6_flowlabel_req: the options of a new flow label lie behind it. */
const FLOW_LABEL_BYTES = 32;

const OPTIONS: Readonly<Record<string, Option>> = {
  IP_OPTIONS: { level: SOL_IP, name: 4, chains: SENDS, when: 'sourceRoute' },
  IPV6_2292PKTOPTIONS: { level: SOL_IPV6, name: 6, chains: SENDS, when: 0 },
  IPV6_FLOWLABEL_MGR: { level: SOL_IPV6, name: 32, chains: SENDS, when: FLOW_LABEL_BYTES },
  IPV6_RTHDR: { level: SOL_IPV6, name: 57, chains: SENDS, when: 0 },
};

/** Types of IPv4 options (RFC 791). */
const IPOPT = { end: 0, noop: 1, looseRoute: 131, strictRoute: 137 } as const;
const MAX_IPV4_OPTIONS = 40;

/**
 * Falls through if the value, IPv4 options, has a source route, else jumps to `none`; as it also does
 * for options that the kernel does not take (ip_options_compile).
 */
function unlessSourceRoute(none: string): readonly Item[] {
  return [
    load(8, R7, R9, CTX.value),
    load(8, R8, R9, CTX.valueEnd),
    movImm(R2, 0),
    label('option'),
    mov(R3, R7),
    add(R3, R2),
    mov(R4, R3),
    addImm(R4, 1),
    jumpIf('gt', R4, R8, none),
    load(1, R1, R3, 0),
    jumpIf('eq', R1, IPOPT.end, none),
    jumpIf('eq', R1, IPOPT.looseRoute, 'sourceRoute'),
    jumpIf('eq', R1, IPOPT.strictRoute, 'sourceRoute'),
    addImm(R2, 1),
    jumpIf('eq', R1, IPOPT.noop, 'nextOption'),
    addImm(R4, 1),
    jumpIf('gt', R4, R8, none),
    load(1, R1, R3, 1),
    jumpIf('lt', R1, 2, none),
    addImm(R2, -1),
    add(R2, R1),
    label('nextOption'),
    jumpIf('lt', R2, MAX_IPV4_OPTIONS, 'option'),
    jump(none),
    label('sourceRoute'),
  ];
}

/** Refuses the option, which the context has, if it gets round a chain that can refuse. */
function judge(name: string, { chains, when }: Option): readonly Item[] {
  const harmless =
    when === 'sourceRoute'
      ? unlessSourceRoute('pass')
      : [load(4, R1, R9, CTX.length), jumpIf('le', R1, when, 'pass')];
  return [
    label(name),
    ...harmless,
    ...findGeneration(`${name}.find`),
    ...chains.flatMap((chain) => {
      const open = `${name}.${chain}`;
      return [...unlessRefusing(chain, open), jump(REFUSED), label(open)];
    }),
    jump('pass'),
  ];
}

/**
 * Lets the option pass. A value longer than a page is not all in the context, and the kernel takes the
 * call for faulty (before Linux 6.5) unless the program says that it left the value alone.
 */
function pass(): readonly Item[] {
  return [
    label('pass'),
    load(8, R1, R9, CTX.value),
    load(8, R2, R9, CTX.valueEnd),
    sub(R2, R1),
    load(4, R1, R9, CTX.length),
    jumpIf('le', R1, R2, 'allowed'),
    movImm(R1, 0),
    store(4, R9, CTX.length, R1),
    label('allowed'),
    movImm(R0, 1),
    exit(),
    label(FAILED),
    label(REFUSED),
    movImm(R0, 0),
    exit(),
  ];
}

/** The program that judges options of sockets. Linux 5.3. */
export function sockoptProgram(): ProgramSpec {
  return {
    name: 'sf_setsockopt',
    type: 'cgroup_sockopt',
    expectedAttachType: 'setsockopt',
    license: LICENSE,
    items: [
      mov(R9, R1),
      load(4, R6, R9, CTX.level),
      load(4, R7, R9, CTX.name),
      ...Object.entries(OPTIONS).flatMap(([name, option]) => [
        jumpIf('ne', R6, option.level, `${name}.not`),
        jumpIf('eq', R7, option.name, name),
        label(`${name}.not`),
      ]),
      jump('pass'),
      ...Object.entries(OPTIONS).flatMap(([name, option]) => judge(name, option)),
      ...pass(),
    ],
  };
}
