/** Rules tried out in a page that talks to nobody: all is computed where it is read. */
import { escapeLines } from '@sockfilter/language';
import { type Answer, explain, query } from './answers.js';
import { Editor, part } from './editor.js';
import { findingItem } from './findinglist.js';
import { type RuleText, readRules, reportPage } from './ruletext.js';
import { packState, type State, unpackState } from './state.js';

/** While somebody types, nothing is computed. */
const PAUSE_MS = 200;

const EXAMPLE: State = {
  rules: `*socket
:BIND DROP [0:0]
:CONNECT ACCEPT [0:0]
:lan - [0:0]
-G web --id 3 --path "/system.slice/nginx.service"

# nginx alone serves the web, on an address of its own.
-A BIND -d 10.0.0.5/32 -p tcp -m multiport --dports 80,443 -m cgroup --id web -j ACCEPT
-A BIND -d 127.0.0.0/8 -j ACCEPT

# Nobody reaches the metadata service, and nginx its upstreams only.
-A CONNECT -d 169.254.169.254/32 -j DROP
-A CONNECT -m cgroup --id web -j lan
-A lan -d 10.0.2.0/24 -p tcp -m tcp --dport 8080 -j ACCEPT
-A lan -j REJECT --reject-with EHOSTUNREACH
COMMIT
`,
  call: 'CONNECT --group web --dst 10.0.2.7:8080',
  query: 'accept --chain BIND --group web',
};

const list = part('findings', HTMLElement);
const summary = part('summary', HTMLElement);
const call = part('call', HTMLInputElement);
const asked = part('query', HTMLInputElement);
const report = part('report', HTMLElement);

let read: RuleText;
let shown: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

const editor = new Editor(later);
const stateNow = (): State => ({ rules: editor.text, call: call.value, query: asked.value });

function later(): void {
  clearTimeout(timer);
  timer = setTimeout(update, PAUSE_MS);
}

function say(id: string, { isMistake, lines }: Answer): void {
  const place = part(id, HTMLElement);
  place.className = isMistake ? 'mistake' : '';
  place.textContent = escapeLines(lines.join('\n'));
}

const UNREAD: Answer = { isMistake: true, lines: ['the rules have mistakes'] };

function answer(): void {
  const { file } = read;
  say('explained', file ? explain(file, call.value) : UNREAD);
  say('regions', file ? query(file, asked.value) : UNREAD);
}

/** The page of a report in a frame of its own; the one before stands until the new one is there. */
function showReport(): void {
  const { file } = read;
  report.classList.toggle('stale', file === undefined);
  if (!file) return;
  const html = reportPage(file, editor.text);
  if (html === shown) return;
  shown = html;
  const frame = document.createElement('iframe');
  frame.title = 'which calls are accepted';
  frame.setAttribute('sandbox', 'allow-scripts');
  frame.srcdoc = html;
  frame.className = 'coming';
  frame.addEventListener('load', () => {
    if (!frame.isConnected) return;
    for (const other of [...report.children]) if (other !== frame) other.remove();
    frame.className = '';
  });
  for (const other of report.querySelectorAll('.coming')) other.remove();
  report.append(frame);
}

function showFindings(): void {
  const { findings, file } = read;
  editor.mark(findings);
  const deeds = {
    show: ({ place }: (typeof findings)[number]) => editor.select(place),
    ask: (command: string) => {
      call.value = command;
      call.focus();
      update();
    },
  };
  list.replaceChildren(...findings.map((finding) => findingItem(finding, deeds)));
  const count = `${findings.length} ${file ? 'finding' : 'mistake'}${findings.length === 1 ? '' : 's'}`;
  summary.textContent = findings.length === 0 ? 'nothing found' : count;
}

async function writeAddress(): Promise<void> {
  const state = stateNow();
  const before = location.hash;
  const fragment = await packState(state);
  // Meanwhile more may have been typed, or another address opened.
  if (JSON.stringify(state) !== JSON.stringify(stateNow()) || location.hash !== before) return;
  history.replaceState(null, '', `#${fragment}`);
}

function update(): void {
  clearTimeout(timer);
  read = readRules(editor.text);
  showFindings();
  answer();
  showReport();
  void writeAddress();
}

/** Shows what the address holds; where that is nothing of ours, what is there stays, or at first the example. */
async function open(otherwise: State): Promise<void> {
  const fragment = location.hash.slice(1);
  const state = fragment === '' ? otherwise : await unpackState(fragment);
  const given = state ?? otherwise;
  editor.text = given.rules;
  call.value = given.call;
  asked.value = given.query;
  update();
  if (!state) summary.textContent = 'the address holds no rules that can be read';
}

for (const input of [call, asked]) input.addEventListener('input', later);
addEventListener('hashchange', () => void open(stateNow()));
part('copy', HTMLButtonElement).addEventListener('click', async ({ target }) => {
  await writeAddress();
  // Where the page comes from a server without TLS there is no clipboard, and a browser may refuse it.
  const isCopied = await navigator.clipboard?.writeText(location.href).then(
    () => true,
    () => false,
  );
  if (target instanceof HTMLElement)
    target.textContent = isCopied ? 'copied' : 'copy it from the address bar';
});
void open(EXAMPLE);
