/** A process that makes control groups, enters them at once, and calls from within. */
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import koffi from 'koffi';
import { answerLines, type Outcomes, type SettlerQuestion } from './messages.js';

const libc = koffi.load('libc.so.6');
const fd = libc.func('int socket(int, int, int)')(2, 2, 0);
const connect = libc.func('int connect(int, void *, uint)');

/** 127.0.0.1, port 7001. */
const ADDRESS = Buffer.from('02001b597f000001'.padEnd(32, '0'), 'hex');

/** The names of the control groups that it has dived through. */
let dived: string[] = [];

const home = process.argv[2] ?? '';
const cwd = process.cwd();

function enter(folder: string): void {
  writeFileSync(`${folder}/cgroup.procs`, String(process.pid));
}

function call(): number {
  return connect(fd, ADDRESS, ADDRESS.length) < 0 ? koffi.errno() : 0;
}

function deepestLast(folder: string): readonly string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [folder, ...below.flatMap(({ name }) => deepestLast(`${folder}/${name}`))];
}

function* answer(question: SettlerQuestion): Generator<number> {
  switch (question.do) {
    case 'churn':
      for (let n = 0; n < question.times; n++) {
        const { folder } = question;
        const inner = `${folder}/inner`;
        mkdirSync(folder);
        enter(folder);
        yield call();
        mkdirSync(inner);
        enter(inner);
        yield call();
        enter(home);
        rmdirSync(inner);
        rmdirSync(folder);
      }
      break;
    case 'grow':
      for (let n = 0; n < question.count; n += 3)
        for (const name of ['', '/a', '/a/b']) mkdirSync(`${question.folder}/${n}${name}`);
      break;
    case 'visit':
      for (const folder of deepestLast(question.folder)) {
        enter(folder);
        yield call();
      }
      enter(home);
      break;
    case 'dive':
      process.chdir(question.folder);
      for (let depth = 0; depth < question.depth; depth++) {
        mkdirSync(question.name);
        process.chdir(question.name);
        dived.push(question.name);
      }
      enter('.');
      yield call();
      break;
    case 'shuttle':
      for (let n = 0; n < question.times; n++)
        for (const folder of question.folders) {
          enter(folder);
          yield call();
        }
      enter(home);
      break;
    case 'call':
      yield call();
      break;
    case 'surface':
      enter(home);
      for (const name of dived.toReversed()) {
        process.chdir('..');
        rmdirSync(name);
      }
      dived = [];
      process.chdir(cwd);
  }
}

answerLines((question: SettlerQuestion): Outcomes => {
  const outcomes: Record<number, number> = {};
  for (const errno of answer(question)) outcomes[errno] = (outcomes[errno] ?? 0) + 1;
  return outcomes;
});
