/** `monitor --summary`: equal events as one row, live on a terminal as top(1) has it; else once, at the end. */
import { isatty, ReadStream } from 'node:tty';
import { escapeUnseen } from '@sockfilter/language';
import { printColumns } from '../columns.js';
import { note, print, printDrawn, windowSize } from '../output.js';
import { missedWords, type Output, type Seen } from './output.js';
import { SORTS, type Sort, type Tallied, Tally } from './tally.js';

const HEAD = ['COUNT', 'LAST', 'WHAT', 'CHAIN', 'GROUP', 'PROGRAM', 'CALL', 'RULE'] as const;
const NS_PER_MS = 1_000_000n;

function cellsOf({ count, last, what, chain, group, program, peer, rule }: Tallied): string[] {
  const clock = new Date(Number(last / NS_PER_MS)).toTimeString().slice(0, 8);
  return [String(count), clock, what, chain, group, program, peer, rule].map(escapeUnseen);
}

/** The table of the rows, as many as are wanted. */
function tableText(tally: Tally, sort: Sort, most = Number.POSITIVE_INFINITY): string {
  const rows = tally.rows(sort).slice(0, most);
  const others = tally.others > 0 ? [`${tally.others} more events of other kinds\n`] : [];
  return [printColumns([[...HEAD], ...rows.map(cellsOf)]), ...others].join('');
}

/** The window's other screen: what was on the terminal before comes back with `LEAVE`. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';
const REVERSE = '\x1b[7m';
const PLAIN = '\x1b[m';
const DRAW_MS = 250;
const [CTRL_C, CTRL_D] = ['\x03', '\x04'];

const KEYS = [...Object.entries(SORTS).map(([name, { key }]) => `${key} ${name}`), 'q quit'];

/** A whole screen; the text has no escapes of others. */
function drawScreen(tally: Tally, sort: Sort, [width, height]: readonly number[]): string {
  const lost = tally.lost > 0 ? `, ${tally.lost} lost` : '';
  const above = `${tally.events} events${lost}, by ${sort}; ${KEYS.join(', ')}`;
  const lines = [
    above,
    ...tableText(tally, sort, Math.max(1, (height ?? 24) - 2))
      .trimEnd()
      .split('\n'),
  ];
  const fitted = lines.slice(0, height).map((line) => line.slice(0, width));
  const drawn = fitted.map(
    (line, n) => `${n === 1 ? `${REVERSE}${line}${PLAIN}` : line}${REST_OF_LINE}`,
  );
  return `${HOME}${drawn.join('\r\n')}${REST_OF_SCREEN}`;
}

/** The terminal while it shows the table. */
class Screen {
  readonly #tally: Tally;
  readonly #quit: () => void;
  readonly #input = isatty(0) ? new ReadStream(0) : undefined;
  readonly #leave = () => this.close();
  readonly #drawAgain = () => this.changed();
  #sort: Sort = 'count';
  #isOpen = true;
  #drawing: NodeJS.Timeout | undefined;

  constructor(tally: Tally, quit: () => void) {
    this.#tally = tally;
    this.#quit = quit;
    this.#input
      ?.setRawMode(true)
      .setEncoding('utf8')
      .on('data', (keys) => this.#press(String(keys)));
    printDrawn(ENTER);
    process.on('exit', this.#leave);
    process.on('SIGWINCH', this.#drawAgain);
    this.changed();
  }

  /** Draws soon, and not for each change. */
  changed(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      printDrawn(drawScreen(this.#tally, this.#sort, windowSize()));
    }, DRAW_MS);
  }

  #press(keys: string): void {
    for (const pressed of keys) {
      if (['q', CTRL_C, CTRL_D].includes(pressed)) this.#quit();
      for (const sort of SORT_NAMES) if (SORTS[sort].key === pressed) this.#sort = sort;
    }
    this.changed();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#drawing);
    process.off('exit', this.#leave);
    process.off('SIGWINCH', this.#drawAgain);
    this.#input?.setRawMode(false);
    this.#input?.destroy();
    printDrawn(LEAVE);
  }
}

const SORT_NAMES: readonly Sort[] = ['count', 'last', 'group', 'program', 'destination', 'rule'];

/** @param quit ends the listening */
export function openSummary(quit: () => void): Output {
  const tally = new Tally();
  const screen = isatty(1) ? new Screen(tally, quit) : undefined;
  return {
    hear: (all: readonly Seen[], { lost = 0 }) => {
      for (const seen of all) tally.add(seen);
      tally.lost += lost;
      screen?.changed();
      return true;
    },
    close: () => {
      screen?.close();
      print(tableText(tally, 'count'));
      for (const words of missedWords({ lost: tally.lost })) note(words);
    },
  };
}
