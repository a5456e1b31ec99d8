/**
 * Documents, and what their examples do: fenced blocks, commands after `$ ` with what each prints, and a scratch folder
 * in which they run with the built command on the path. What a document shows is written as docs.system.test.ts says.
 */
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runShell, writeStandIn } from '../cli/command.js';

export const REPOSITORY = join(__dirname, '../..');

export interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

export interface Step {
  readonly command: string;
  readonly output: string;
}

export function readBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  markdown.split('\n').forEach((line, at) => {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      blocks.push({ language: open.language, text: open.lines.join('\n'), line: open.line });
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      open = { language: fence[1]?.trim() ?? '', line: at + 2, lines: [] };
    }
  });
  if (open) throw new Error(`the block at line ${open.line} has no end`);
  return blocks;
}

/**
 * Commands and what each prints; a command that ends in a backslash goes on in the next line, and in
 * lines that start with `> `.
 */
export function readSteps(text: string): readonly Step[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of text.split('\n')) {
    const last = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] });
    else if (!last) throw new Error(`no command before \`${line}\``);
    else if (last.command.endsWith('\\') && last.output.length === 0)
      last.command = `${last.command}\n${line}`;
    else if (line.startsWith('> ') && last.output.length === 0)
      last.command = `${last.command}\n${line.slice(2)}`;
    else last.output.push(line);
  }
  return steps.map(({ command, output }) => ({ command, output: output.join('\n') }));
}

/** Whether the text is what the document shows. */
export function agrees(shown: string, text: string): boolean {
  const pattern = shown
    .split('\n')
    .map((line) =>
      line.trim() === '...' ? '(?:.*\n)*?' : `${line.split('...').map(escapePattern).join('.*')}\n`,
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(text === '' ? '\n' : text);
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export function readDocument(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

/** A folder in which the examples of a document run, with the built command on its path. */
export class Scratch {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sockfilter-docs-'));
  readonly #environment: Readonly<Record<string, string>>;

  /** @param root the control group to police; a saved rule file in its stead if undefined */
  constructor(root: string | undefined) {
    const work = this.#path('work');
    mkdirSync(work);
    mkdirSync(this.#path('bin'));
    cpSync(join(REPOSITORY, 'rules'), join(work, 'rules'), { recursive: true });
    writeFileSync(join(work, 'my.rules'), '*socket\nCOMMIT\n');
    const manifest: { readonly bin: Readonly<Record<string, string>> } = JSON.parse(
      readDocument('packages/cli/package.json'),
    );
    for (const [name, file] of Object.entries(manifest.bin)) {
      if (name === 'sockfilter') continue;
      const program = join(REPOSITORY, 'packages/cli', file);
      const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
      writeFileSync(this.#path('bin', name), script);
      chmodSync(this.#path('bin', name), 0o755);
    }
    writeStandIn(this.#path('bin', 'sockfilter'));
    this.#environment = {
      PATH: `${this.#path('bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
      NO_COLOR: '1',
      SOCKFILTER_STATE_DIR: this.#path('state'),
      ...(root === undefined ? { SOCKFILTER_FILE: 'my.rules' } : { SOCKFILTER_ROOT: root }),
    };
  }

  #path(...names: readonly string[]): string {
    return join(this.#folder, ...names);
  }

  write(name: string, text: string): void {
    writeFileSync(this.#path('work', name), text);
  }

  /** Everything that the command prints, on whichever stream. */
  run(command: string): string {
    const place = { cwd: this.#path('work'), env: this.#environment };
    return runShell(['/bin/sh', '-c', `{ ${command}\n} 2>&1`], place).stdout;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** Runs commands and expects what the text says that they print; gives all that they really print. */
export function runSteps(text: string, scratch: Scratch): string {
  let all = '';
  for (const { command, output } of readSteps(text)) {
    const printed = scratch.run(command);
    if (!agrees(output, printed))
      expect(`$ ${command}\n${printed}`).toBe(`$ ${command}\n${output}\n`);
    all += printed;
  }
  return all;
}
