/** What a comparison says in a line, and as data. */
import {
  type Change,
  type Finding,
  jsonPlace,
  jsonWitness,
  type Note,
  regionOfBox,
} from '@sockfilter/policy';

export interface ChangeAnswer {
  readonly change: Change;
  readonly findings: readonly Finding[];
  readonly noNewAccess: boolean;
  readonly isIntended: boolean;
}

export function concludeChange({ change, findings, ...asked }: ChangeAnswer): string {
  if (change.isSame) return 'the files mean the same';
  if (asked.isIntended && findings.length === 0) return 'the change is the intended one';
  if (asked.noNewAccess && findings.length === 0) return 'the change gives no new access';
  return 'the files do not mean the same';
}

/** Which rules differ, where something is found that comes of it. */
export function introOf(findings: readonly Finding[], { rules }: Change): readonly string[] {
  return findings.length === 0 ? [] : rules;
}

const jsonNote = ({ message, place }: Note) => ({ message, ...(place && jsonPlace(place)) });

/** The change for JSON, whatever of it is a finding. */
export function changeDetails({
  isSame,
  regions,
  groups,
  rules,
  unlisted,
}: Change): Readonly<Record<string, unknown>> {
  return {
    same: isSame,
    regions: regions.map(({ kind, box, text, witness, before, after }) => ({
      kind,
      region: regionOfBox(box),
      text,
      witness: jsonWitness(witness),
      before: before.map(jsonNote),
      after: after.map(jsonNote),
    })),
    groups,
    rules,
    unlisted,
  };
}
