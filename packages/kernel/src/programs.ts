/** Which programs a release attaches: a commit replaces those of another. */
import { createHash } from 'node:crypto';
import { HOOKS } from './hooks.js';
import { SAMPLE_OFFSETS } from './offsets.js';

/** What the build of the command has found it to be, so that no command computes it. */
declare const PROGRAM_DIGEST: number | undefined;

function computeDigest(): number {
  const programs = HOOKS.flatMap(({ program }) =>
    [true, false].map((mayGoto) => program({ ...SAMPLE_OFFSETS, mayGoto })),
  );
  return createHash('sha256').update(JSON.stringify(programs)).digest().readUInt32LE(0);
}

let known = typeof PROGRAM_DIGEST === 'number' ? PROGRAM_DIGEST : undefined;

/** A number that other programs than these have not: 32 bits of a hash of what they are made of. */
export function programDigest(): number {
  known ??= computeDigest();
  return known;
}
