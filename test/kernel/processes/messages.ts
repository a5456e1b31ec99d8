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

/** For each call how often it came to each errno, by number; 0 where it succeeded. */
export type Tally = readonly Readonly<Record<number, number>>[];

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
      /** The process kills itself right before it takes the step of this number, from 1. */
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
