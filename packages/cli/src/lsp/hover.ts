/** What is told of the place that somebody points at. */
import { extensionHelp } from '@sockfilter/iptables';
import type { Position } from 'vscode-languageserver/node';
import type { Opened } from './opened.js';
import { tokensOf } from './symbols.js';

/** In Markdown: the calls that the line's rules match, and the help of the match or target; undefined for nothing. */
export function hoverAt(file: Opened, { line, character }: Position): string | undefined {
  const tokens = tokensOf(file.lineText(line));
  const at = tokens.findIndex(
    ({ text, start }) => start <= character && character <= start + text.length,
  );
  const word = tokens[at]?.text ?? '';
  const option = tokens[at - 1]?.text ?? '';
  const isMatch = option === '-m' || option === '--match';
  const help = isMatch
    ? extensionHelp([word], undefined)
    : option === '-j'
      ? extensionHelp([], word)
      : '';
  const regions = file.matched(line);
  const parts = [
    ...(regions.length > 0 ? [`matches\n${regions.map((text) => `- ${text}`).join('\n')}`] : []),
    ...(help === '' ? [] : [`\`\`\`text\n${help}\`\`\``]),
  ];
  return parts.length === 0 ? undefined : parts.join('\n\n');
}
