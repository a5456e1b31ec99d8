/** The table in force on a control group, for programs. */
import { printOwner, printSave } from '@sockfilter/iptables';
import type { Status } from '@sockfilter/kernel';
import { counterOwners } from '@sockfilter/table';
import { type Explanation, explainInForce } from '../explain.js';
import { readRoot } from '../globals.js';
import {
  confirmTrial,
  goBack,
  type LiveOptions,
  withFirewall,
  withLiveTable,
} from '../livetable.js';
import { followTexts } from '../origins.js';
import type { PacketWords } from '../packet.js';
import { dropCounters } from '../restore.js';
import { readLabel } from '../revision.js';
import { readSeconds } from '../trial.js';
import type { Moment } from './answers.js';
import { type EventsOptions, listenTo, type SocketEvent } from './events.js';
import { parseRules, type Rules, requireFile } from './rules.js';

export type { Status };

export interface OpenOptions {
  /** Seconds to wait for others who work on the same table: 0, which is the default, not at all. */
  readonly wait?: number;
  /** Hears what a person should know beside the outcome. */
  readonly tell?: (text: string) => void;
}

export interface CommitOptions {
  /** What the revision is called in `status` and `history`. */
  readonly label?: string;
  /** Seconds after which the table before is back unless `confirm` is called; the kernel counts them. */
  readonly confirmWithin?: number;
  /** Rules that say what they said go on counting; without it all begin at 0, as after `restore`. */
  readonly keepCounters?: boolean;
}

/** What a rule or policy has counted. */
export interface Counter {
  readonly chain: string;
  /** The rule's number; null for the policy. */
  readonly rule: number | null;
  /** As `-S` prints it. */
  readonly text: string;
  /** Calls. */
  readonly packets: bigint;
}

/**
 * The table in force on one control group. Each method works as the command does: it takes the lock, does all of
 * its work or nothing, and lets go. Beside what they say, methods throw SockfilterError, and errors named LockedError,
 * UnsupportedError, CapacityError, DamageError, TrialError and BpfError; nothing has changed then.
 */
export interface Sockfilter {
  /** The control group, by its path below the cgroup2 mount. */
  readonly root: string;
  /** The rules in force; undefined where nothing is installed. */
  rules(): Rules | undefined;
  /** What the rules and policies in force have counted, chain by chain. */
  counters(): readonly Counter[];
  /** Puts rules in force, all at once, in the place of what is there. Throws DiagnosticsError and TableError. */
  commit(rules: Rules, options?: CommitOptions): void;
  /** Keeps the rules that are on trial. */
  confirm(): void;
  /** Puts the rules before back; gives what they were, in words. */
  undo(): string;
  /** What is attached, and how big it is; undefined where nothing is installed. */
  status(): Status | undefined;
  /** What would become of a call. */
  explain(call: PacketWords, moment?: Moment): Explanation;
  /** Events from now on, through commits and new installs, until the loop or the signal ends them. */
  events(options?: EventsOptions): AsyncGenerator<SocketEvent, void, undefined>;
  /** Takes down all that is installed: every call is allowed from then on. */
  teardown(): void;
}

/**
 * The table in force on a control group, by its path below the cgroup2 mount: `/` is all of the machine. Nothing is
 * touched before a method is called. Throws SockfilterError where the path is none.
 */
export function open(root: string, options: OpenOptions = {}): Sockfilter {
  const { wait = 0, tell = () => undefined } = options;
  const live: LiveOptions = { root: readRoot(root), wait, tell };
  return Object.freeze({
    root: live.root,
    rules: () =>
      withLiveTable(live, 'read', ({ open: { table }, firewall }) =>
        firewall.text === undefined
          ? undefined
          : parseRules(printSave(table), { name: 'the table in force' }),
      ),
    counters: () =>
      withLiveTable(live, 'read', ({ open: { table, counters }, firewall }) => {
        if (firewall.text === undefined) return [];
        return counterOwners(table).map((owner) => ({
          chain: owner.chain.name,
          rule: owner.rule ? owner.number : null,
          text: printOwner(owner),
          packets: counters(owner),
        }));
      }),
    commit: (rules: Rules, { label, confirmWithin, keepCounters = false }: CommitOptions = {}) => {
      const table = dropCounters(requireFile(rules).table);
      const trial = {
        label: label === undefined ? undefined : readLabel(label),
        confirmWithin: confirmWithin === undefined ? undefined : readSeconds(String(confirmWithin)),
      };
      withLiveTable(live, keepCounters ? 'edit' : 'replace', ({ open: inForce }) => {
        const origins = keepCounters ? followTexts(inForce.table, table) : [];
        inForce.commit({ table, origins, ...trial });
      });
    },
    confirm: () => confirmTrial(live),
    undo: () => goBack(live),
    status: () =>
      withLiveTable(live, 'read', ({ open, firewall }) => firewall.status(() => open.table)),
    explain: (call: PacketWords, moment: Moment = {}) =>
      withLiveTable(live, 'read', (found) => explainInForce(found, call, moment)),
    events: (events: EventsOptions = {}) => listenTo(live.root, events, tell),
    teardown: () => {
      for (const name of withFirewall(live, 'replace', (firewall) => firewall.teardown()))
        tell(`\`${name}\` among the pins is not sockfilter's, and stays`);
    },
  });
}
