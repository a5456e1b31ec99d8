/** The live page, as one HTML file that loads nothing and talks to nobody but its server. */
import { escapeHtml, PAGE_STYLE, policyHash } from '@sockfilter/policy';
import { VERSION } from '../help.js';
import { DRAWING_STYLE } from './drawing.js';
import { LIVE_SCRIPT } from './script.js';

const STYLE = `${PAGE_STYLE}
.list button { font: inherit; font-size: .82rem; font-weight: 600; border: 0; border-radius: 4px; cursor: pointer; padding: .1rem .5rem; white-space: nowrap; }
${DRAWING_STYLE}.feed { max-height: 32rem; overflow: auto; } .list td { font-variant-numeric: tabular-nums; }
`;

export const LIVE_POLICY = `default-src 'none'; script-src ${policyHash(LIVE_SCRIPT)}; style-src ${policyHash(STYLE)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const heads = (names: readonly string[]) =>
  names.map((name) => `<th scope="col">${name}</th>`).join('');

export function livePage(root: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Socket calls below ${escapeHtml(root)} - sockfilter</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Socket calls below ${escapeHtml(root)}</h1>
<p><span id="state" role="status">connecting</span> · <a id="exact" href="rules">what the rules allow, exactly</a></p>
<ul class="tiles"><li><b id="refused">0</b><span>refused</span></li><li><b id="audited">0</b><span>audited</span></li><li><b id="lost">0</b><span>lost or not counted</span></li></ul>
</header>
<main>
<section><div class="head"><h2>Who was told no</h2><span>groups by destinations, since this page's server began; a cell filters the feed</span></div>
<p id="none">Nothing yet.</p><div class="scroll" id="grid" tabindex="0" role="region" aria-label="groups by destinations" hidden><table class="grid" id="matrix"><thead><tr></tr></thead><tbody></tbody></table></div><p id="cut"></p></section>
<section id="talks" hidden><div class="head"><h2>Who talks to whom</h2><span>peers that call, groups, and what they call; a line filters the feed</span></div>
<div class="scroll" id="talk" tabindex="0" role="region" aria-label="who talks to whom"></div><p id="undrawn"></p></section>
<section><div class="head"><h2>Events</h2><span>the newest first; each opens the rule that decided</span></div>
<div class="bar"><label>filter <input type="search" id="filter" autocomplete="off"></label><label><input type="checkbox" id="paused"> pause</label></div>
<p id="quiet">None.</p><div class="feed" tabindex="0" role="region" aria-label="events"><table class="list"><thead><tr>${heads(['time', 'what', 'chain', 'group', 'program', 'call', 'rule'])}</tr></thead><tbody id="feed"></tbody></table></div></section>
<section><div class="head"><h2>Rules</h2><span>calls that each has matched</span></div>
<div class="feed" tabindex="0" role="region" aria-label="rules"><table class="list"><thead><tr>${heads(['rule', 'calls', 'text'])}</tr></thead><tbody id="counters"></tbody></table></div></section>
</main>
<div id="panel" tabindex="-1" role="dialog" aria-labelledby="what" hidden><h2 id="what">Event</h2><button type="button" id="close">close</button><div id="detail"></div></div>
<footer>sockfilter ${escapeHtml(VERSION)}</footer>
<script>${LIVE_SCRIPT}</script>
</body>
</html>
`;
}
