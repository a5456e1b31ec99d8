/** `sockfilter status --verify`: what of a table in force is not what its text says. */
import { errnoName } from '@sockfilter/bpf';
import type { Difference, Firewall, MisjudgedCall } from '@sockfilter/kernel';
import { EXIT } from '@sockfilter/language';
import { describeCall, explainCommand } from '@sockfilter/policy';
import {
  type CounterOwner,
  counterOwners,
  type Decision,
  elementAt,
  ownerName,
  type Table,
} from '@sockfilter/table';
import { CommandError } from './failure.js';

/** What a call comes to, in words: `refused with EPERM by rule 1 of BIND`. */
export interface Outcomes {
  readonly call: string;
  /** What shows how the table in force decides it. */
  readonly command: string;
  readonly inForce: string;
  readonly byText: string;
}

/** A difference with its call in words. */
export interface DifferenceAnswer extends Omit<Difference, 'call'> {
  readonly example?: Outcomes;
}

function outcome({ errno, decider }: Decision, owners: readonly CounterOwner[]): string {
  const verdict = errno === 0 ? 'allowed' : `refused with ${errnoName(errno)}`;
  return `${verdict} by ${ownerName(elementAt(owners, decider))}`;
}

function inWords({ packet, inForce, byText }: MisjudgedCall, table: Table): Outcomes {
  const owners = counterOwners(table);
  return {
    call: describeCall(packet, table.groups),
    command: explainCommand(packet),
    inForce: outcome(inForce, owners),
    byText: outcome(byText, owners),
  };
}

/** What of the table in force is not what it was read to; undefined where nothing is installed. */
export function differencesOf(
  firewall: Firewall,
  table: Table,
): readonly DifferenceAnswer[] | undefined {
  return firewall
    .verify(table)
    ?.map(({ call, ...difference }) =>
      call ? { ...difference, example: inWords(call, table) } : difference,
    );
}

function textOf({ part, message, example }: DifferenceAnswer): string {
  if (!example) return `${part}: ${message}\n`;
  const { call, inForce, byText, command } = example;
  return `${part}: ${message}: ${call} is ${inForce}, and by its text ${byText}\n  ${command}\n`;
}

/** As `status` prints them; a line where there are none. */
export function printDifferences(differences: readonly DifferenceAnswer[]): string {
  if (differences.length === 0)
    return '\nverified: nodes, hooks and control groups are what the text says\n';
  return `\n${differences.map(textOf).join('')}`;
}

/** Throws if there are any. */
export function requireNone(differences: readonly DifferenceAnswer[]): void {
  if (differences.length === 0) return;
  throw new CommandError(
    `what is in force is not what its text says, in ${differences.length} ${differences.length === 1 ? 'place' : 'places'}`,
    EXIT.unfit,
    '`sockfilter save -c > FILE && sockfilter restore -c FILE` puts all of the text in force anew; please report it if nobody has changed maps of the kernel',
  );
}
