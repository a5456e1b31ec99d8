/** The playground's page: its parts in their places, which only escaped text may be put into. */
export const pageOf = ({ policy, style, script, licenses }) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>sockfilter playground</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>sockfilter playground</h1>
<p>Rules for socket calls, judged as you type. Nothing leaves this page; the address holds what you typed.</p>
<button type="button" id="copy">copy the address</button>
</header>
<main>
<section class="rules">
<h2><label for="rules">Rules</label></h2>
<div class="editor"><pre id="numbers" aria-hidden="true"></pre><div class="text"><pre id="marks" aria-hidden="true"></pre><textarea id="rules" spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" aria-describedby="summary"></textarea></div></div>
<p id="summary" role="status"></p>
<ul id="findings" aria-label="findings"></ul>
</section>
<section class="asks">
<h2><label for="call">explain</label></h2>
<input id="call" spellcheck="false" autocomplete="off" autocapitalize="off">
<pre id="explained" role="status" tabindex="0" aria-label="what becomes of the call"></pre>
<h2><label for="query">query</label></h2>
<input id="query" spellcheck="false" autocomplete="off" autocapitalize="off">
<pre id="regions" role="status" tabindex="0" aria-label="the calls"></pre>
</section>
<section id="report" aria-label="report"></section>
</main>
<footer><details><summary>Licences of what this page holds</summary><pre id="licenses">${licenses}</pre></details></footer>
<noscript><p>All of this page is a script, which it carries and which loads nothing.</p></noscript>
<script>${script}</script>
</body>
</html>
`;
