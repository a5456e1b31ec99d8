/** Statements with a state of their own: in rules, and one to an element of a set. */
import type { z } from 'zod';
import {
  byType,
  type Integer64,
  integer,
  integer64,
  nothing,
  optional,
  record,
  text,
  truth,
  type Word,
} from './schema.js';

/** Units of amounts of data. */
export type DataUnit = Word<'bytes' | 'kbytes' | 'mbytes'>;

/** Counts packets and bytes; without numbers, from zero. */
export interface CounterState {
  readonly packets?: Integer64;
  readonly bytes?: Integer64;
}

/** Matches up to an amount of data, or beyond it with `inv`. */
export interface QuotaState {
  readonly val: Integer64;
  readonly val_unit?: DataUnit;
  readonly used?: Integer64;
  readonly used_unit?: DataUnit;
  readonly inv?: boolean;
}

/** Matches up to a rate, or beyond it with `inv`. */
export interface LimitState {
  readonly rate: Integer64;
  readonly rate_unit?: Word<'packets' | 'bytes' | 'kbytes' | 'mbytes'>;
  readonly per?: Word<'second' | 'minute' | 'hour' | 'day' | 'week'>;
  readonly burst?: Integer64;
  readonly burst_unit?: Word<'packets' | 'bytes' | 'kbytes' | 'mbytes'>;
  readonly inv?: boolean;
}

/** Matches up to a number of connections, or beyond it with `inv`. */
export interface ConnectionCount {
  readonly val: number;
  readonly inv?: boolean;
}

/** When a packet came by last, in milliseconds before the listing. */
export interface LastState {
  readonly used?: Integer64;
}

export interface StatefulBodies {
  readonly counter: CounterState | null;
  readonly quota: QuotaState;
  readonly limit: LimitState;
  readonly 'ct count': ConnectionCount;
  readonly last: LastState | null;
}

export const counterState = record<CounterState>({
  packets: optional(integer64),
  bytes: optional(integer64),
});

export const quotaState = record<QuotaState>({
  val: integer64,
  val_unit: optional(text),
  used: optional(integer64),
  used_unit: optional(text),
  inv: optional(truth),
});

export const limitState = record<LimitState>({
  rate: integer64,
  rate_unit: optional(text),
  per: optional(text),
  burst: optional(integer64),
  burst_unit: optional(text),
  inv: optional(truth),
});

export const statefulBodies: {
  readonly [K in keyof StatefulBodies]: z.ZodType<StatefulBodies[K]>;
} = {
  counter: byType<CounterState | null>({ object: counterState, null: nothing }),
  quota: quotaState,
  limit: limitState,
  'ct count': record<ConnectionCount>({ val: integer, inv: optional(truth) }),
  last: byType<LastState | null>({
    object: record<LastState>({ used: optional(integer64) }),
    null: nothing,
  }),
};
