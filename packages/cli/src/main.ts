/** Where each command starts. What only prints a text loads nothing else. */
import { textOf } from './help.js';
import { writeAll } from './writeall.js';

/** Runs the command line; the exit status is set when it resolves. */
export async function main(argv: readonly string[]): Promise<void> {
  const text = textOf(argv[0]);
  if (text === undefined) {
    const { run } = await import('./route.js');
    return run(argv);
  }
  try {
    writeAll(1, text);
  } catch (error) {
    const { finish } = await import('./output.js');
    await finish(argv, () => {
      throw error;
    });
  }
}

/**
 * Runs the command line as what the process is for. Where nothing goes on the process is ended at once: node would take
 * apart first what goes with the process anyway, which costs a fifteenth of a start.
 */
export async function runProgram(argv: readonly string[]): Promise<void> {
  await main(argv);
  if (process.getActiveResourcesInfo().length === 0) process.exit();
}
