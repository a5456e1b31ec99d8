/** The report as JSON, for programs. */

import { writeJson } from '@sockfilter/language';
import { printAddress, protocolName } from '@sockfilter/table';
import { CATALOGUE } from '../catalogue.js';
import type { Finding, Place, Witness } from '../finding.js';
import { exitOf, isFailure, type Report, summaryOf } from './report.js';

function jsonPlace({ file, line, column, length }: Place) {
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

export function jsonReport(report: Report): string {
  const { command, version, suites, ignored, conclusion, details } = report;
  const answer = {
    tool: 'sockfilter',
    version,
    command,
    exit: exitOf(report),
    summary: summaryOf(report),
    ...(conclusion !== undefined && { conclusion }),
    files: suites.map(({ file, cases }) => ({
      file,
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
  return writeJson(answer, replacer);
}
