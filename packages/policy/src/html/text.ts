/**
 * Text of others in HTML. Rule files come from pull requests: nothing in them may become markup, and
 * nothing may look like what it is not.
 */
import { escapeUnseen } from '@sockfilter/language';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Longer lines are cut. */
const MAX_LENGTH = 2000;

/** The text with what cannot be seen spelled out, `\u{202e}`, and cut to a bearable length. */
export function visible(text: string): string {
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return escapeUnseen(short.replaceAll('\t', ' '));
}

/** For elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** JSON for a `<script type="application/json">`: no `<`, so that nothing ends it or opens a comment. */
export function embedJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'string' ? visible(each) : each,
  ).replaceAll('<', '\\u003c');
}
