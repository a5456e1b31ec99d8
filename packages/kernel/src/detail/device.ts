import { addImm, type Item, jump, jumpIf, label, mov, R3, R7, R8, R9 } from '@sockfilter/bpf';
import type { DetailReader } from '../detailreader.js';
import type { DeviceOffsets } from '../offsets.js';
import { findDeviceNode } from '../program/devicetable.js';
import { probe } from '../program/stack.js';
import { NAME, NAME_BYTES, putName } from './name.js';

/** r3 = the device with the index in r8, in the network namespace of the socket in r7; destroys r8. */
function findDevice(
  devices: DeviceOffsets | undefined,
  name: string,
  failed: string,
): readonly Item[] {
  if (!devices) return [jump(failed)];
  return [
    mov(R3, R7),
    ...findDeviceNode(devices, { index: R8, name, failed }),
    addImm(R3, -devices.node),
  ];
}

/** Its name as it is now: devices can be renamed. */
export const device: DetailReader = {
  ofCaller: false,
  read: ({ offsets, name, failed, slots }) => [
    mov(R3, R9),
    jumpIf('ne', R9, 0, `${name}.found`),
    jumpIf('eq', R8, 0, `${name}.none`),
    ...findDevice(offsets.devices, name, failed),
    label(`${name}.found`),
    addImm(R3, offsets.deviceName),
    ...probe(NAME, NAME_BYTES, failed),
    ...putName(slots),
    label(`${name}.none`),
  ],
};
