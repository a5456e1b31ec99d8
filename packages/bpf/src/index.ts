export * from './asm.js';
export { assemble, SLOT } from './assemble.js';
export { lookupBatch, lookupRun, updateBatch, updateRun } from './batch.js';
export { type Btf, parseBtf } from './btf.js';
export { cgroupId, findCgroup2, openCgroup, openDirectory } from './cgroup.js';
export { type ClockOffsets, clockOffsets, startTime } from './clock.js';
export { DatagramSender } from './datagram.js';
export { disassemble } from './disassemble.js';
export { BpfError, errnoName } from './error.js';
export { hasBpfLsm, hasMayGoto } from './feature.js';
export {
  type Field,
  type Flag,
  fieldOffset,
  findField,
  findFlag,
  hasField,
  structSize,
} from './field.js';
export type { GlobalFunction, Parameter } from './functiontypes.js';
export { HELPERS, type HelperName, helperName } from './helpers.js';
export {
  type Condition,
  type Item,
  type Label,
  type MapRef,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
  type Register,
  type Size,
} from './instruction.js';
export { kernelBtf } from './kernelbtf.js';
export * from './link.js';
export * from './map.js';
export { largePages, sharedPages } from './memory.js';
export { type Mount, parseMountInfo, parseMounts } from './mounts.js';
export { type NatChain, natChains } from './nat.js';
export { inNetworkNamespace, namespaceOf } from './netns.js';
export { PerfBuffer } from './perf.js';
export { DEFAULT_BPFFS, hasBpffs, isBpffs, mountBpffs, openPinned, pin } from './pin.js';
export { Poller } from './poll.js';
export * from './program.js';
export { sha256 } from './sha256.js';
export { listSockets, SOCKET_STATE, type SocketEntry } from './sockdiag.js';
export {
  close,
  type Fd,
  flock,
  linux,
  mount,
  type SharingSyscalls,
  type SyscallArgument,
  type SyscallName,
  type Syscalls,
} from './syscall.js';
export { processedInstructions, verifierReason } from './verifierLog.js';
