/**
 * Text of others on its way to a terminal or a reader. Rule files come from pull requests: nothing in
 * them may move a cursor, break a line, or look like what it is not.
 */

/** Control characters, and those that are not seen or turn the direction of what follows. */
const UNSEEN = /[^\P{Cc}\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu;

/** Longer words in a message are cut: what is wrong with them stands in the excerpt. */
const MAX_ECHO = 120;

/**
 * The text with what cannot be seen spelled out, `\u{202e}`; only tabs stay. Every output that is read by
 * people is made of such text.
 */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Lines of text, each escaped. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeUnseen).join('\n');
}

type Replacer = (key: string, value: unknown) => unknown;

/** JSON for programs that is as safe to look at, and says the same: what is not seen is `\u202e` in it. */
export function writeJson(value: unknown, replacer?: Replacer, indent = 2): string {
  const unseen = (character: string) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join('');
  const lines = JSON.stringify(value, replacer, indent).split('\n');
  return `${lines.map((line) => line.replace(UNSEEN, unseen)).join('\n')}\n`;
}

/** The same in one line. */
export function writeJsonLine(value: unknown): string {
  return writeJson(value, undefined, 0);
}

/** A message, each echoed word of it cut to what helps. */
export function shortenEchoes(message: string): string {
  return message.replace(/`([^`]*)`/g, (all, word: string) =>
    word.length > MAX_ECHO ? `\`${word.slice(0, MAX_ECHO)}…\`` : all,
  );
}
