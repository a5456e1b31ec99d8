/** Lines that say how the verifier got there, not what it found wrong. */
const NOISE: readonly RegExp[] = [
  /^processed \d+ insns/,
  /^verification time/,
  /^stack depth/,
  /^func#\d+ @\d+/,
  /^mark_precise:/,
  /^\d+: R\d/,
  /^from \d+ to \d+/,
  /^\s*$/,
];

const INSTRUCTION = /^\d+: \([0-9a-f]{2}\)/;

/** Instructions to show before the complaint. */
const CONTEXT = 2;

/** The complaint that ends a verifier log, after the instructions it is about; undefined if empty. */
export function verifierReason(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => !NOISE.some((noise) => noise.test(line)));
  const last = lines.findLastIndex((line) => INSTRUCTION.test(line));
  const reason = lines.slice(last < 0 ? -3 : Math.max(0, last - CONTEXT + 1));
  return reason.length === 0 ? undefined : reason.join('\n');
}

/** The number of instructions that the verifier walked, from the statistics at the log's end. */
export function processedInstructions(log: string): number | undefined {
  const match = /^processed (\d+) insns/m.exec(log);
  return match === null ? undefined : Number(match[1]);
}
