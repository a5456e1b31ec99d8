/** What a test asks of the processes that it starts, and how: a line of JSON each way. */
import { createInterface } from 'node:readline';

/** Answers each line of standard input; the first line of standard output says that it is ready. */
export function answerLines<Question>(answer: (question: Question) => unknown): void {
  const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value ?? null)}\n`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const question: Question = JSON.parse(line);
      say(answer(question));
    })
    .on('close', () => process.exit(0));
  say('ready');
}

/** A call on an IPv4 udp socket, made again and again. */
export interface HammerCall {
  readonly call: 'connect' | 'bind' | 'sendto';
  readonly address: string;
  readonly port: number;
}

/** What such a process does until it is paused. */
export interface HammerWork {
  readonly calls: readonly HammerCall[];
  /** Milliseconds between two rounds of calls; 0 for none. */
  readonly restMs: number;
}

/** How often a call came to each errno, by number; 0 where it succeeded. */
export type Outcomes = Readonly<Record<number, number>>;

/** For each call what it came to. */
export type Tally = readonly Outcomes[];

/** `run` starts the calls; `pause` ends them and gives the tally since the process began. */
export type HammerQuestion = 'run' | 'pause';

/** Every change keeps the counters of rules that stay at their place in their chain. */
export type AdministratorQuestion = { readonly root: string } & (
  | {
      /** Puts the tables in force in turn, until it is killed. */
      readonly do: 'loop';
      readonly texts: readonly string[];
    }
  | {
      /** Puts a table in force, or nothing. Answers how many steps it took. */
      readonly do: 'replace';
      readonly text: string | undefined;
      /** On trial for so many seconds. */
      readonly confirmWithin?: number;
      /** The process kills itself right before it takes the step of this number, from 1. */
      readonly dieAt?: number;
    }
  | {
      /** Ends a trial. Answers how many steps it took. */
      readonly do: 'confirm' | 'abort';
      readonly dieAt?: number;
    }
  | {
      /** Appends so many rules to CONNECT, each in a commit of its own. */
      readonly do: 'append';
      readonly times: number;
      /** Of the first rule; the next ones have the next ports. */
      readonly port: number;
    }
  | {
      /** Installs the table and takes it down, so many times. */
      readonly do: 'cycle';
      readonly text: string;
      readonly times: number;
    }
);

/** All are answered with how often a udp connect() came to each errno, by number; 0 for success. */
export type SettlerQuestion =
  /** Makes the control group and one inside of it, calls from within both, and removes them. */
  | { readonly do: 'churn'; readonly folder: string; readonly times: number }
  /** Makes so many control groups, in chains of three. */
  | { readonly do: 'grow'; readonly folder: string; readonly count: number }
  /** Calls from within the control group and each below it. */
  | { readonly do: 'visit'; readonly folder: string }
  /** Makes a path of so many names, and stays at its end, however long it is. */
  | {
      readonly do: 'dive';
      readonly folder: string;
      readonly depth: number;
      readonly name: string;
    }
  /** Goes from control group to control group and calls from within each, so many times. */
  | { readonly do: 'shuttle'; readonly folders: readonly string[]; readonly times: number }
  | { readonly do: 'call' }
  /** Goes back to where it began, and removes what `dive` has made. */
  | { readonly do: 'surface' };
