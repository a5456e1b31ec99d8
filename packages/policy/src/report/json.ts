/** The report as JSON, for programs. */

import { writeJson } from '@sockfilter/language';
import { printAddress, protocolName } from '@sockfilter/table';
import { detailWords } from '../call.js';
import { CATALOGUE } from '../catalogue.js';
import type { Finding, Place, Witness } from '../finding.js';
import { exitOf, isFailure, type Report, summaryOf, worstOf } from './report.js';

export function jsonPlace({ file, line, column, length }: Place) {
  return { file, line, column, endColumn: column + length };
}

/** Addresses as text, for JSON has no numbers that wide. */
export function jsonWitness({ packet, call, command }: Witness) {
  const { family } = packet;
  return {
    call,
    command,
    packet: {
      ...packet,
      protocol: protocolName(packet.protocol),
      source: printAddress(family, packet.source),
      destination: printAddress(family, packet.destination),
      ...Object.fromEntries(detailWords(packet)),
    },
  };
}

export function jsonFinding({ code, severity, place, message, notes, witness, fix }: Finding) {
  return {
    code,
    severity,
    title: CATALOGUE[code].title,
    ...jsonPlace(place),
    message,
    notes: notes.map((note) => ({
      message: note.message,
      ...(note.place && jsonPlace(note.place)),
    })),
    ...(witness && { witness: jsonWitness(witness) }),
    ...(fix !== undefined && { fix }),
  };
}

/** Ranges of fields are numbers wider than JSON's: they become text. */
function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function jsonAnswer(report: Report): object {
  const { command, subject, version, suites, ignored, conclusion, notes = [], details } = report;
  return {
    tool: 'sockfilter',
    version,
    command,
    ...(subject !== undefined && { subject }),
    exit: exitOf(report),
    summary: summaryOf(report),
    ...(conclusion !== undefined && { conclusion }),
    ...(notes.length > 0 && { notes }),
    files: suites.map(({ file, cases, intro = [], conclusion: answer }) => ({
      file,
      ...(intro.length > 0 && { intro }),
      ...(answer !== undefined && { conclusion: answer }),
      cases: cases.map(({ name, place, findings }) => ({
        name,
        line: place.line,
        ok: !findings.some((finding) => isFailure(report, finding)),
        findings: findings.map(jsonFinding),
      })),
    })),
    ignored: ignored.map(({ finding, reason }) => ({ ...jsonFinding(finding), reason })),
    ...details,
  };
}

/** One report as it is; several in a list, with the worst exit status. */
export function jsonReport(reports: readonly Report[]): string {
  const [first] = reports;
  const answer =
    first && reports.length === 1
      ? jsonAnswer(first)
      : { tool: 'sockfilter', exit: worstOf(reports), reports: reports.map(jsonAnswer) };
  return writeJson(answer, replacer);
}
