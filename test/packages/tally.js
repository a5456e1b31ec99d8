/** What has been tried, and what came of it. */

export const tally = { passed: 0, failed: 0, skipped: 0 };

export async function test(name, body) {
  try {
    await body();
    tally.passed++;
    console.log(`ok       ${name}`);
  } catch (error) {
    tally.failed++;
    console.log(`FAILED   ${name}\n${error.stack}`);
  }
}

export function skip(name, why) {
  tally.skipped++;
  console.log(`SKIPPED  ${name}: ${why}`);
}
