/** Jest reporter: says last, alone on a line, what the run comes to. */
import { tally } from './tally.js';

export default class TallyReporter {
  onRunComplete(_contexts, results) {
    // Jest's own summary comes after the last reporter.
    process.once('exit', () => process.stdout.write(`\n${tally(results).join('\n')}\n`));
  }
}
