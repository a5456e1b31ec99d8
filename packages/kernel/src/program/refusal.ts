/** What hooks do with a call that is refused: they tell of it, with the group that it was made in. */
import {
  type Item,
  jumpIf,
  label,
  load,
  lshImm,
  mov,
  movImm,
  movImm32,
  or,
  orImm,
  R0,
  R3,
  R4,
  R8,
  R9,
  R10,
  store,
} from '@sockfilter/bpf';
import { EVENT_KINDS, NO_COUNTER } from '@sockfilter/events';
import { FAILED, findHeader, REFUSED, TOLD } from './generation.js';
import { callGroup, NO_GROUP } from './group.js';
import { callReport } from './report.js';
import { CONTEXT, put32, SPILL, slot } from './stack.js';

export const EPERM = 1;

/** r0 = the id of the cgroup that a call is made in; r9 is the context. Its labels begin with the name. */
export type CgroupOf = (name: string, failed: string) => readonly Item[];

/** Stores the group of a call that is refused if it is not known yet: no rule may have asked for it. */
function putRefusedGroup(cgroup: CgroupOf): readonly Item[] {
  return [
    load(2, R0, R10, slot('group', 0)),
    load(2, R3, R10, slot('group', 1)),
    or(R0, R3),
    jumpIf('ne', R0, 0, 'refused.group'),
    ...findHeader(FAILED),
    load(8, R9, R10, CONTEXT),
    ...cgroup('refused', 'refused.group'),
    ...callGroup(),
    jumpIf('eq', R0, NO_GROUP, 'refused.group'),
    ...put32('group', R0),
    label('refused.group'),
  ];
}

/** Tells that the call is refused, as TOLD says, at which it begins. Keeps r8, the errno. @internal */
export function tell(cgroup: CgroupOf): readonly Item[] {
  return [
    label(TOLD),
    ...putRefusedGroup(cgroup),
    mov(R3, R8),
    lshImm(R3, 8),
    orImm(R3, EVENT_KINDS.refused),
    load(8, R4, R10, SPILL),
    ...callReport(),
  ];
}

/** The same, of what is REFUSED as well: with EPERM, and by no rule. */
export function tellRefusal(cgroup: CgroupOf): readonly Item[] {
  return [
    label(REFUSED),
    movImm(R8, EPERM),
    movImm32(R4, NO_COUNTER),
    store(8, R10, SPILL, R4),
    ...tell(cgroup),
  ];
}
