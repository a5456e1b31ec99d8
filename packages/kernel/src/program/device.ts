/**
 * The unspecified IPv4 address with an output device: the kernel goes to the device's own address
 * (ip_route_output_key_hash_rcu, inet_select_addr).
 */
import {
  add,
  andImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lshImm,
  mov,
  R1,
  R3,
  R8,
  R9,
  R10,
  store,
  toBig,
} from '@sockfilter/bpf';
import { PROTOCOL } from '@sockfilter/table';
import type { DeviceOffsets, Offsets } from '../offsets.js';
import { CTX, SK } from './callcontext.js';
import { cookieNumber, type SendingChain, socketNumber } from './detour.js';
import { follow, peek, SPILL, slot } from './stack.js';
import { UNREADABLE } from './walk.js';

/** Buckets of the kernel's table of devices (NETDEV_HASHENTRIES), and how far one is looked through. */
const BUCKETS = 256;
const MAX_DEVICES = 32;
/** How many addresses of a device are looked through. */
const MAX_ADDRESSES = 8;
const IFA_F_SECONDARY = 1;

/** The index of the output device, if there is one, to r3 and `device`; else to `none`. */
function findDevice(
  chain: SendingChain,
  offsets: Offsets,
  device: string,
  none: string,
): readonly Item[] {
  const named =
    chain === 'SENDTO'
      ? [...cookieNumber(offsets), ...peek(offsets.cookieDevice, 4, UNREADABLE)]
      : [load(8, R3, R9, CTX.sk), load(4, R3, R3, SK.boundDevice)];
  return [
    ...named,
    jumpIf('ne', R3, 0, device),
    // TCP takes no notice of IP_UNICAST_IF.
    load(2, R1, R10, slot('protocol')),
    jumpIf('eq', R1, PROTOCOL.tcp, none),
    ...socketNumber(),
    ...peek(offsets.inetDevice, 4, UNREADABLE),
    jumpIf('eq', R3, 0, none),
  ];
}

/** r3 = the node of the device whose index is in r3; destroys r8. */
function findNode({ table, index }: DeviceOffsets): readonly Item[] {
  const tries = Array.from({ length: MAX_DEVICES }, () => [
    jumpIf('eq', R3, 0, UNREADABLE),
    mov(R8, R3),
    ...peek(index, 4, UNREADABLE),
    load(4, R1, R10, SPILL),
    jumpIf('eq', R3, R1, 'node'),
    mov(R3, R8),
    ...follow([0], UNREADABLE),
  ]);
  return [
    store(4, R10, SPILL, R3),
    ...socketNumber(),
    ...follow(table, UNREADABLE),
    load(4, R1, R10, SPILL),
    andImm(R1, BUCKETS - 1),
    lshImm(R1, 3),
    add(R3, R1),
    ...follow([0], UNREADABLE),
    ...tries.flat(),
    jump(UNREADABLE),
    label('node'),
    mov(R3, R8),
  ];
}

/** r8 = the first address of the device whose node is in r3 that is not secondary, in host order. */
function firstAddress(offsets: DeviceOffsets): readonly Item[] {
  const tries = Array.from({ length: MAX_ADDRESSES }, () => [
    jumpIf('eq', R3, 0, UNREADABLE),
    mov(R8, R3),
    ...peek(offsets.flags, 4, UNREADABLE),
    andImm(R3, IFA_F_SECONDARY),
    jumpIf('eq', R3, 0, 'primary'),
    mov(R3, R8),
    ...follow([offsets.next], UNREADABLE),
  ]);
  return [
    ...follow([offsets.ipv4, offsets.addresses], UNREADABLE),
    ...tries.flat(),
    jump(UNREADABLE),
    label('primary'),
    mov(R3, R8),
    ...peek(offsets.address, 4, UNREADABLE),
    mov(R8, R3),
    toBig(R8, 32),
  ];
}

/**
 * r8 = the address of the call's output device, in host order, and on to `found`; falls through if the
 * call has no device. Of a device without an address the kernel would go to one of another device.
 */
export function deviceAddress(
  chain: SendingChain,
  offsets: Offsets,
  found: string,
): readonly Item[] {
  const { devices } = offsets;
  return [
    ...findDevice(chain, offsets, 'device', 'noDevice'),
    label('device'),
    ...(devices ? [...findNode(devices), ...firstAddress(devices)] : [jump(UNREADABLE)]),
    ...(devices ? [jump(found)] : []),
    label('noDevice'),
  ];
}
