/** The syntax of every kind of value. */
import { good } from '@sockfilter/language';
import type { Value, ValueKind } from '@sockfilter/table';
import { addressRange, network } from './values/address.js';
import { addressTypes } from './values/addresstype.js';
import { monthdays, weekdays } from './values/days.js';
import { detail } from './values/detail.js';
import { endpoint, toPort } from './values/endpoint.js';
import { errno } from './values/errno.js';
import { tcpFlags } from './values/flags.js';
import { groupPath } from './values/grouppath.js';
import { keyFields } from './values/keyfields.js';
import { label } from './values/label.js';
import { logLevel, prefix } from './values/log.js';
import { bits, mark, xmark } from './values/mark.js';
import { groupRange, ownerRange } from './values/owner.js';
import { portList, portRange } from './values/port.js';
import { probability } from './values/probability.js';
import { protocol } from './values/protocol.js';
import { rate } from './values/rate.js';
import { setRef } from './values/setref.js';
import type { ValueSyntax } from './values/syntax.js';
import { text } from './values/text.js';
import { date, timeOfDay } from './values/time.js';
import { count, word } from './values/word.js';

const none: ValueSyntax = {
  words: 0,
  verbatim: false,
  parse: () => good({ kind: 'none' }),
  print: () => '',
};

export const VALUES: Readonly<Record<ValueKind, ValueSyntax>> = {
  none,
  protocol,
  network,
  addressRange,
  portRange,
  portList,
  addressTypes,
  groupRange,
  groupPath,
  ownerRange,
  tcpFlags,
  text,
  prefix,
  logLevel,
  errno,
  count,
  word,
  probability,
  rate,
  keyFields,
  label,
  timeOfDay,
  date,
  weekdays,
  monthdays,
  detail,
  setRef,
  mark,
  xmark,
  bits,
  endpoint,
  toPort,
};

export function printValue(value: Value): string {
  return VALUES[value.kind].print(value);
}
