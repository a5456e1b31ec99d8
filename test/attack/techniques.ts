/** The attack table: docs/security.md shows it, and attack.system.test.ts runs it. */
import type { Theme } from './technique.js';
import { ADDRESSES } from './techniques/addresses.js';
import { CHOSEN } from './techniques/chosen.js';
import { COMPAT } from './techniques/compat.js';
import { DEVICES } from './techniques/devices.js';
import { FASTOPEN } from './techniques/fastopen.js';
import { GIVEN } from './techniques/given.js';
import { LISTENERS } from './techniques/listeners.js';
import { MESSAGES } from './techniques/messages.js';
import { MPTCP } from './techniques/mptcp.js';
import { PORTS } from './techniques/ports.js';
import { PROGRAMS } from './techniques/programs.js';
import { RAW } from './techniques/raw.js';
import { RECEIVERS } from './techniques/receivers.js';
import { RINGS } from './techniques/rings.js';
import { TASKS } from './techniques/tasks.js';

export const THEMES: readonly Theme[] = [
  ADDRESSES,
  DEVICES,
  GIVEN,
  MESSAGES,
  RAW,
  FASTOPEN,
  MPTCP,
  RINGS,
  PORTS,
  CHOSEN,
  LISTENERS,
  RECEIVERS,
  TASKS,
  PROGRAMS,
  COMPAT,
];
