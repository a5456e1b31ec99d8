/** Decisions as words, for deciders that keep another order than the reference does. */
import type { Decision, Packet, Report } from '@sockfilter/table';

export function reportWords(reports: readonly Report[]): readonly string[] {
  return reports.map(({ kind, counter }) => `${kind} ${counter}`);
}

/** The order of counters, and of events from several diagrams, is the reference's alone. */
export function decisionWords({ errno, decider, counted, reports, packet }: Decision): string {
  const counts = counted.toSorted((a, b) => a - b);
  return `errno ${errno} by ${decider}, to ${packet.destination} ${packet.destinationPort}, mark ${packet.mark}, counting ${counts}, reporting ${reportWords(reports).toSorted()}`;
}

/** As what a call that proceeds goes on. */
export function goesOnAs({ destination, destinationPort, mark }: Packet): string {
  return `${destination} ${destinationPort} ${mark}`;
}
