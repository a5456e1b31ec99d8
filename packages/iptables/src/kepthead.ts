/** What stands before the rules of a text that is kept: there may be thousands of groups, whose lines all go alike. */
import type { Group, Table } from '@sockfilter/table';
import { printedGroup } from './groupline.js';

/** The table without its rules that `head` says, as `read` reads it: that is given lines of groups only where one is not as it is printed. */
export function readHead(head: string, read: (text: string) => Table): Table {
  const groups: Group[] = [];
  const others: string[] = [];
  for (let at = 0; at < head.length; ) {
    const end = head.indexOf('\n', at);
    const line = head.slice(at, end);
    at = end + 1;
    if (!line.startsWith('-G ')) {
      others.push(line);
      continue;
    }
    const group = printedGroup(line);
    if (!group) return read(head);
    groups.push(group);
  }
  return { ...read(`${others.join('\n')}\n`), groups };
}
