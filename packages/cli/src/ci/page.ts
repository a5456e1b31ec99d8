/** `--report FILE.html`: a page that people look at. */
import { printChainLine, printOwner } from '@sockfilter/iptables';
import { type PageOptions, renderPage } from '@sockfilter/policy';
import { replaceFile } from '../atomicfile.js';
import { VERSION } from '../help.js';
import type { Sources } from './rulesource.js';

/** The lines that the page shows: as the files have them, or as `save` prints the table in force. */
export function pageOptions(sources: Sources): PageOptions {
  const lines = new Map<string, readonly string[]>();
  return {
    version: VERSION,
    lineOf: (file, owner) => {
      const { chain, rule } = owner;
      const text = sources.textOf(file.name);
      if (text === undefined) return printOwner(owner);
      const known = lines.get(file.name) ?? text.split('\n');
      lines.set(file.name, known);
      const line = known[file.placeOf(rule ?? chain).line - 1]?.trim();
      // A chain that the file does not declare has its policy all the same.
      return rule || line?.startsWith(':') ? line : printChainLine(chain.name, chain.policy);
    },
  };
}

export function writePage(path: string, page: Parameters<typeof renderPage>[0]): void {
  replaceFile(path, renderPage(page));
}
