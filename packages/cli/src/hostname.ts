/** Host names, and how an element of a set says which of them it was resolved from. */
import { byteLength, EXIT } from '@sockfilter/language';
import { MAX_ELEMENT_COMMENT, readAddress, type SetElement } from '@sockfilter/table';
import { CommandError } from './failure.js';

/** The comment of an element that was resolved begins so; the names that have its address follow. */
const PREFIX = 'resolved:';
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME = 253;

function isHostName(text: string): boolean {
  const labels = text.split('.');
  // A last label of digits alone would be an address that somebody has written in another form.
  return (
    text.length <= MAX_NAME &&
    labels.every((label) => LABEL.test(label)) &&
    /\D/.test(labels.at(-1) ?? '')
  );
}

/** The name in the form in which names are the same; throws CommandError for what is none. */
export function readHostName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (readAddress(text))
    throw new CommandError(
      `\`${text}\` is an address, and \`--resolve\` takes a host name`,
      EXIT.usage,
      'leave out `--resolve`',
    );
  if (isHostName(name)) return name;
  throw new CommandError(
    `\`${text}\` is no host name`,
    EXIT.usage,
    'it has labels of letters, digits and `-`, with dots between; write others in their form for DNS, `xn--...`',
  );
}

/** The names that the element was resolved from; none if somebody has put it there as it is. */
export function hostsOf({ comment }: SetElement): readonly string[] {
  if (!comment?.startsWith(PREFIX)) return [];
  const hosts = comment.slice(PREFIX.length).split(',');
  return hosts.every(isHostName) ? hosts : [];
}

/** The comment that says these names; throws CommandError where they are too long for one. */
export function commentOf(hosts: readonly string[]): string {
  const comment = `${PREFIX}${hosts.join(',')}`;
  if (byteLength(comment) <= MAX_ELEMENT_COMMENT) return comment;
  throw new CommandError(
    `the comment \`${comment}\` would have more than ${MAX_ELEMENT_COMMENT} bytes: it says which names have an address`,
    EXIT.unfit,
    'put the name into a set of its own',
  );
}
