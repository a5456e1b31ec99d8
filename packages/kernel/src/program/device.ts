/**
 * The unspecified IPv4 address with an output device: the kernel goes to the device's own address
 * (ip_route_output_key_hash_rcu, inet_select_addr).
 */
import {
  andImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  R1,
  R3,
  R8,
  R9,
  R10,
  toBig,
} from '@sockfilter/bpf';
import { type BuiltinChain, type Family, PROTOCOL } from '@sockfilter/table';
import type { DeviceOffsets, Offsets } from '../offsets.js';
import { CTX, SK } from './callcontext.js';
import { type SendingChain, socketNumber } from './detour.js';
import { findDeviceNode } from './devicetable.js';
import { UNREADABLE } from './generation.js';
import { follow, numberOf, peek, slot } from './stack.js';

/** How many addresses of a device are looked through. */
const MAX_ADDRESSES = 8;
const IFA_F_SECONDARY = 1;

/** r3 = the device of IP_UNICAST_IF or of IPV6_UNICAST_IF. */
function usualDevice(family: Family, offsets: Offsets): readonly Item[] {
  if (family === 4) return [...socketNumber(), ...peek(offsets.inetDevice, 4, UNREADABLE)];
  const { ipv6 } = offsets;
  if (!ipv6) return [movImm(R3, 0)];
  return [
    ...socketNumber(),
    ...follow([ipv6.info], UNREADABLE),
    ...peek(ipv6.device, 4, UNREADABLE),
  ];
}

/** r3 = the device that the socket is bound to, or that the message names. */
function boundDevice(
  chain: BuiltinChain,
  family: Family,
  { cookieDevice, flowDevice, callDetail }: Offsets,
): readonly Item[] {
  if (chain !== 'SENDTO') return [load(8, R3, R9, CTX.sk), load(4, R3, R3, SK.boundDevice)];
  const at = family === 4 ? cookieDevice : flowDevice;
  return [...numberOf(R9), ...follow([callDetail], UNREADABLE), ...peek(at, 4, UNREADABLE)];
}

/** The index of the output device, if there is one, to r3 and `device`; else to `none`. */
function findDevice(
  chain: BuiltinChain,
  family: Family,
  offsets: Offsets,
  { device, none }: { readonly device: string; readonly none: string },
): readonly Item[] {
  return [
    ...boundDevice(chain, family, offsets),
    jumpIf('ne', R3, 0, device),
    // TCP takes no notice of IP_UNICAST_IF.
    load(2, R1, R10, slot('protocol')),
    jumpIf('eq', R1, PROTOCOL.tcp, none),
    ...usualDevice(family, offsets),
    jumpIf('eq', R3, 0, none),
  ];
}

/** r3 = the index of the device that the call names for what it sends, or that the socket is bound to; else 0. */
export function namedDevice(
  chain: BuiltinChain,
  family: Family,
  offsets: Offsets,
): readonly Item[] {
  if (chain === 'BIND') return boundDevice(chain, family, offsets);
  const [device, none] = ['named.device', 'named.none'];
  // An IPv6 socket goes to a mapped address by what it has of IPv4.
  const mapped = [
    load(2, R1, R10, slot('family')),
    jumpIf('eq', R1, 6, 'named.native'),
    ...findDevice(chain, 4, offsets, { device, none }),
    jump(device),
    label('named.native'),
  ];
  return [
    ...(family === 6 && chain === 'CONNECT' ? mapped : []),
    ...findDevice(chain, family, offsets, { device, none }),
    jump(device),
    label(none),
    movImm(R3, 0),
    label(device),
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
    ...findDevice(chain, 4, offsets, { device: 'device', none: 'noDevice' }),
    label('device'),
    ...(devices
      ? [
          mov(R8, R3),
          ...socketNumber(),
          ...findDeviceNode(devices, { index: R8, name: 'device', failed: UNREADABLE }),
          ...firstAddress(devices),
        ]
      : [jump(UNREADABLE)]),
    ...(devices ? [jump(found)] : []),
    label('noDevice'),
  ];
}
