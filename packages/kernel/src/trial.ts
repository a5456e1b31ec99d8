/** Tables on trial: in force until a deadline, and past it only if somebody has confirmed them. */
import { close } from '@sockfilter/bpf';
import { bootTime } from './bootclock.js';
import { readText } from './generationmap.js';
import { setSlotsOf } from './heldsets.js';
import { clearFallback, putInForce, unpinOthers } from './inforce.js';
import type { InForceInstance, Instance, Trial } from './instance.js';
import { closeMaps, openMaps } from './maps.js';
import type { Pins } from './pins.js';
import { dropSets } from './setmap.js';

/** A table that is on trial. */
export interface PendingTrial {
  /** Until it is undone. */
  readonly seconds: number;
}

/** A table is on trial: nothing else is changed until that has ended. */
export class TrialError extends Error {
  override readonly name = 'TrialError';
  readonly help =
    '`sockfilter confirm` keeps it, `sockfilter undo` puts the one before back at once';

  constructor(seconds: number) {
    super(`a table is on trial for ${Math.ceil(seconds)} s more, and nothing is changed meanwhile`);
  }
}

/** No table is on trial: none was, or its time is over. */
export class NoTrialError extends Error {
  override readonly name = 'NoTrialError';
  readonly help = '`sockfilter status` says what is in force';

  constructor(isOver: boolean) {
    super(
      isOver
        ? 'the time to confirm is over: the table before is in force again'
        : 'no table is on trial',
    );
  }
}

interface PendingInstance extends InForceInstance {
  readonly trial: Extract<Trial, { readonly state: 'pending' }>;
}

const isPending = (current: InForceInstance): current is PendingInstance =>
  current.trial?.state === 'pending';

/** The trial that is pending, if one is. */
export function pendingTrial(current: InForceInstance): PendingTrial | undefined {
  if (!isPending(current)) return undefined;
  return { seconds: Math.max(0, Number(current.trial.deadline - bootTime()) / 1e9) };
}

/** The text to go back to while a table is on trial; undefined if that is nothing. */
export function fallbackText(current: InForceInstance): string | undefined {
  if (!isPending(current)) return undefined;
  const { fd, header } = current.trial.other;
  return header.textBytes === 0 ? undefined : readText(fd, header);
}

/** Throws NoTrialError where no trial is pending. */
export function requirePending(current: InForceInstance | undefined): PendingInstance {
  if (current && isPending(current)) return current;
  throw new NoTrialError(current?.trial !== undefined);
}

/** Puts what has been in force since a trial's deadline where it is looked for first; what is then there. */
export function goBack(pins: Pins, instance: InForceInstance): Instance {
  const { generation, trial } = instance;
  const maps = openMaps(pins);
  try {
    putInForce(maps.table, generation);
    clearFallback(maps.table);
    if (trial) dropSets(maps, setSlotsOf(trial.other), setSlotsOf(generation));
  } finally {
    closeMaps(maps);
  }
  unpinOthers(pins, generation);
  if (trial) close(trial.other.fd);
  return generation.header.textBytes === 0
    ? { state: 'unfinished', generation }
    : { ...instance, trial: undefined };
}

/** Ends a trial before its deadline: what was in force before is again. */
export function abortTrial(pins: Pins, { trial, ...current }: PendingInstance): Instance {
  const instance = goBack(pins, {
    ...current,
    generation: trial.other,
    before: undefined,
    trial: { state: 'undone', other: current.generation },
  });
  // Up to here who holds the trial has it to close.
  if (current.before) close(current.before.fd);
  return instance;
}
