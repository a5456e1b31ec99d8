/** Writing reports, and the exit status. */

import { relative, resolve } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { type Report, worstOf, writeReport } from '@sockfilter/policy';
import { writeOutput } from '../atomicfile.js';
import { CommandError } from '../failure.js';
import { VERSION } from '../help.js';
import { STANDARD_INPUT } from '../inputfile.js';
import { printDrawn } from '../output.js';
import { isTerminal } from '../terminal.js';
import { repositoryTop } from './exclusion.js';
import type { ReportOptions } from './reportoptions.js';
import type { Sources } from './rulesource.js';
import { whileWorking } from './working.js';

function wantsColour(): boolean {
  return isTerminal(1) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** What a command found: a report but for what the options and the version add. */
export type Answer = Omit<Report, 'version' | 'failOn'>;

/** From the path that a user knows to the one from the top of the repository. */
function pathFromTop(): (file: string) => string {
  const top = repositoryTop('.');
  const known = new Map<string, string>();
  return (file) => {
    if (top === undefined || !isFile(file)) return file;
    const path = known.get(file) ?? relative(top, resolve(file));
    known.set(file, path);
    return path.startsWith('..') ? file : path;
  };
}

/** False for `live`, `git:REVISION:PATH` and others that name no file. */
function isFile(name: string): boolean {
  return name !== 'live' && !name.startsWith('git:') && name !== STANDARD_INPUT;
}

/** Writes what one run has to say in every form, and sets the exit status that it leads to. */
export function report(
  answers: readonly Answer[],
  { outputs, failOn, exitZero, all }: ReportOptions,
  sources: Sources,
): void {
  const reports = answers.map((answer): Report => ({ ...answer, version: VERSION, failOn }));
  const pathOf = pathFromTop();
  for (const { format, to } of outputs) {
    const colour = (to === undefined || to === '-') && wantsColour();
    const text = writeReport(format, reports, { colour, all, textOf: sources.textOf, pathOf });
    writeOutput(to, text, printDrawn);
  }
  const exit = worstOf(reports);
  process.exitCode = exit === 1 && exitZero ? 0 : exit;
}

/** Does something with a file: what would cost too much says of which file. */
export function withinLimits<T>(file: string, work: () => T): T {
  try {
    return whileWorking(file, work);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'LimitError') throw error;
    const help = 'help' in error && typeof error.help === 'string' ? error.help : undefined;
    throw new CommandError(`\`${file}\`: ${error.message}`, EXIT.resource, help);
  }
}
