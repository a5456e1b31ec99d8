/** Tables on trial: in force until a deadline, and past it only if somebody has confirmed them. */

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
