/** The manual pages: what the command says of itself, as roff. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const troff = (text) =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
const verbatim = (text) => `.nf\n${troff(text.trimEnd())}\n.fi\n`;
const head = (name, date, version) =>
  `.TH ${name.toUpperCase()} 8 ${date} "sockfilter ${version}"\n`;

/** The words of the commands, by the help of the whole and of those that have commands of their own. */
async function listCommands(help) {
  const words = help('--help').split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  const names = words
    .split('\n')
    .flatMap((line) => /^ {2}([\w.,-]+(?:, [\w.]+)*) {2}/.exec(line)?.[1] ?? []);
  return names.flatMap((name) => name.split(', '));
}

/** Each page's text by its name; `command` runs sockfilter. */
export async function makeManual(command, { version, date }) {
  const say = async (...words) => (await run(command, words)).stdout;
  const whole = await say('--help');
  const names = await listCommands(() => whole);
  const sections = [];
  for (const name of names) sections.push(`.SS ${name}\n${verbatim(await say(name, '--help'))}`);
  const see = (...pages) => `.SH SEE ALSO\n${pages.map((page) => `.BR ${page} (8)`).join(',\n')}\n`;
  const short = (name, word, line) =>
    `${head(name, date, version)}.SH NAME\n${name} \\- ${line}\n.SH SYNOPSIS\n.B ${name}\n[\\fIOPTIONS\\fR]\n` +
    `.SH DESCRIPTION\nThe same as\n.BR "sockfilter ${word}" ,\nunder the name that iptables has for it.\n${see('sockfilter')}`;
  const page =
    `${head('sockfilter', date, version)}.SH NAME\nsockfilter \\- an iptables\\-style firewall for socket calls\n` +
    `.SH SYNOPSIS\n.B sockfilter\n\\fB\\-A\\fR \\fICHAIN RULE\\fR | \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n` +
    `.SH DESCRIPTION\n${verbatim(whole.slice(whole.indexOf('Usage:')))}` +
    `.SH COMMANDS\n${sections.join('')}` +
    '.SH FILES\n.TP\n.I /etc/sockfilter/socket.rules\nwhat the unit sockfilter.service puts in force at boot\n' +
    '.TP\n.I /var/lib/sockfilter\nthe highest id that was given out, and the history\n' +
    '.TP\n.I /sys/fs/bpf/sockfilter\nthe pins by which the kernel keeps what is in force\n' +
    see('sockfilter\\-save', 'sockfilter\\-restore', 'iptables', 'systemctl');
  return {
    sockfilter: page.replace('.BR systemctl (8)', '.BR systemctl (1)'),
    'sockfilter-save': short('sockfilter\\-save', 'save', 'print the table in force'),
    'sockfilter-restore': short('sockfilter\\-restore', 'restore', 'put a saved table in force'),
  };
}
