export { type Blob, encodeBlob } from './blob.js';
export { type WalkableBlob, walkBlob } from './blobwalk.js';
export { callFrom } from './callprobe.js';
export { CapacityError, LEAST_CGROUPS } from './capacity.js';
export type { CarriedSocket, Holder } from './carried.js';
export type { ChainFacts } from './chainfacts.js';
export { DamageError } from './damage.js';
export { type Ability, examine } from './doctor.js';
export { EventSource, PinWatch } from './eventsource.js';
export {
  Firewall,
  type FirewallOptions,
  type InForce,
} from './firewall.js';
export { type CompiledTable, compileTable } from './generation.js';
export { LockedError } from './lock.js';
export type { PartChange } from './partchange.js';
export { registrationOf } from './pathmap.js';
export { instanceName } from './pins.js';
export { programDigest } from './programs.js';
export type { Rewriting } from './rewriting.js';
export type { HookStatus, Status } from './status.js';
export type { Surroundings } from './surroundings.js';
export { NoTrialError, type PendingTrial, TrialError } from './trial.js';
export { UnsupportedError } from './unsupported.js';
export type { Difference, MisjudgedCall } from './verification.js';
export type { Change } from './wholechange.js';
