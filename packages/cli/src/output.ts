/** The only places that write, and the only one that ends the process. */
import { describeFailure } from './failure.js';

/** A reader that has gone (`sockfilter -S | head`) is no failure. */
function endOnBrokenPipe(stream: NodeJS.WriteStream): void {
  if (stream.listenerCount('error') > 0) return;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

export function print(text: string): void {
  endOnBrokenPipe(process.stdout);
  process.stdout.write(text);
}

/** For what a person should know, beside the output. */
export function note(text: string): void {
  endOnBrokenPipe(process.stderr);
  process.stderr.write(`sockfilter: ${text}\n`);
}

function wantsColour(): boolean {
  return process.stderr.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Runs a command to its end and sets the exit status that it leads to. */
export async function finish(command: () => void | Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const { text, exit } = describeFailure(error, wantsColour());
    endOnBrokenPipe(process.stderr);
    const trace = process.env.SOCKFILTER_DEBUG && error instanceof Error ? error.stack : undefined;
    process.stderr.write(trace === undefined ? text : `${text}${trace}\n`);
    process.exitCode = exit;
  }
}
