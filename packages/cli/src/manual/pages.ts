/**
 * The manual's pages: of the rows that help is made of, what help prints, and docs/language.md. Made by the
 * build; no command loads this.
 */
import { COMMANDS } from '../commandrow.js';
import { HELP, VERSION } from '../help.js';
import { helpOf } from '../subcommands.js';
import { manualPage } from './roff.js';

/** A page and the file that it is. */
export interface Page {
  readonly file: string;
  readonly text: string;
}

/** Sections of the language that sockfilter.rules(5) has; sockfilter(8) has the others. */
const RULES = [
  'Matches',
  'Targets',
  'Canonical form',
  'Saved rules',
  'Paths of control groups',
  'Differences from iptables',
];

const OPTIONS_OF_EVERY_COMMAND = 'Options of every command';

interface Section {
  readonly title: string;
  readonly body: string;
}

/** Splits at the headings of the second level; what is before them has no title. */
function sectionsOf(markdown: string): readonly Section[] {
  const parts = markdown.split(/^## /m);
  return parts.map((part, at) => {
    const end = part.indexOf('\n');
    return at === 0
      ? { title: '', body: part.slice(end) }
      : { title: part.slice(0, end), body: part.slice(end) };
  });
}

const printed = (sections: readonly Section[]) =>
  sections.map(({ title, body }) => `## ${title}\n${body}`).join('\n');

/** Lines as they are, without the spaces that all of them begin with. */
function block(text: string): string {
  const lines = text
    .split('\n')
    .filter((line, at, all) => line !== '' || (at > 0 && at < all.length - 1));
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return ['```', ...lines.map((line) => line.slice(indent)), '```', ''].join('\n');
}

/** What `sockfilter COMMAND --help` says, without what all commands have. */
async function commandSection(words: string): Promise<string> {
  const help = await helpOf(words.split(' '));
  const [usage, ...rest] = help.trim().split('\n\n');
  const own = rest.filter((part) => !part.startsWith(OPTIONS_OF_EVERY_COMMAND));
  const [about, ...blocks] = own;
  return `### ${words}\n\n${block(usage ?? '')}\n${sentence(about)}\n\n${block(blocks.join('\n\n'))}`;
}

const sentence = (text = '') => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The part of the general help that begins with the heading. */
function helpPart(heading: string): string {
  const part = HELP.split('\n\n').find((each) => each.startsWith(`${heading}:`));
  if (part === undefined) throw new TypeError(`help has no ${heading}`);
  return part.slice(part.indexOf('\n') + 1);
}

const SEE_ALSO = `## See also

**sockfilter**(8), **sockfilter-save**(8), **sockfilter-restore**(8), **sockfilter.rules**(5), **iptables**(8), **cgroups**(7), **bpf**(2)
`;

async function program(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map(({ words }) => commandSection(words)));
  return commands.join('\n');
}

/** Of what iptables-save and iptables-restore are known for, a page each. */
async function alias(command: 'save' | 'restore'): Promise<string> {
  const help = await helpOf([command]);
  const [usage, about, ...blocks] = help
    .replaceAll(`sockfilter ${command}`, `sockfilter-${command}`)
    .trim()
    .split('\n\n');
  return [
    `## Synopsis\n\n${block(usage ?? '')}`,
    `## Description\n\n${sentence(about)} **sockfilter-${command}** is \`sockfilter ${command}\`: **sockfilter**(8) and **sockfilter.rules**(5) say the rest.\n\n${block(blocks.join('\n\n'))}`,
    SEE_ALSO,
  ].join('\n');
}

/**
 * @param readme README.md, which begins with what sockfilter is
 * @param language docs/language.md
 */
export async function manualPages(readme: string, language: string): Promise<readonly Page[]> {
  const [introduction, ...sections] = sectionsOf(language);
  const [, what = ''] = readme.split('\n\n');
  const rules = sections.filter(({ title }) => RULES.includes(title));
  const others = sections.filter(({ title }) => !RULES.includes(title));
  const main = [
    `## Synopsis\n\n${block(helpPart('Usage'))}`,
    `## Description\n\n${what}\n${introduction?.body ?? ''}`,
    `## Examples\n\n${block(helpPart('Examples'))}`,
    printed(others),
    `## Commands\n\n${await program()}`,
    SEE_ALSO,
  ].join('\n');
  const page = async (name: string, section: number, description: string, text: string) => ({
    file: `${name}.${section}`,
    text: await manualPage(text, { name, section, description, version: VERSION }),
  });
  return [
    await page('sockfilter', 8, 'an iptables-style firewall for socket calls', main),
    await page(
      'sockfilter.rules',
      5,
      'rules and rule files of sockfilter',
      `${printed(rules)}\n${SEE_ALSO}`,
    ),
    await page('sockfilter-save', 8, 'print the table of socket calls', await alias('save')),
    await page(
      'sockfilter-restore',
      8,
      'put a saved table of socket calls in force',
      await alias('restore'),
    ),
  ];
}
