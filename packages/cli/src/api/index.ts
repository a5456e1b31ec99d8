/**
 * sockfilter for programs: rules read, checked and compared anywhere; put in force and watched as root, on Linux 6.1 or later.
 *
 * Nothing prints, and nothing ends the process. What is asked of a text never touches the machine, but for the names of
 * users, groups and services that rules may use. What is done to the table in force is done as the command does it: in
 * turn with others, atomically, recorded in the history.
 */
export type { Diagnostic, Span } from '@sockfilter/language';
export type { Finding, Matrix, MatrixRow, Note, Place, Witness } from '@sockfilter/policy';
export type { Group, Packet, Table } from '@sockfilter/table';
export type { Decider, Explanation, OutcomeAnswer, WayAnswer } from '../explain.js';
export { CommandError as SockfilterError, DiagnosticsError } from '../failure.js';
export type { PacketWords as Call } from '../packet.js';
export {
  type Answer,
  type AnsweredRegion,
  type ChangedRegion,
  type CheckOptions,
  check,
  type Difference,
  diff,
  explain,
  type Moment,
  query,
  type Region,
} from './answers.js';
export type { EventsOptions, SocketEvent } from './events.js';
export {
  type CommitOptions,
  type Counter,
  type OpenOptions,
  open,
  type Sockfilter,
  type Status,
} from './open.js';
export { type ParseOptions, parseRules, type Rules } from './rules.js';
