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
