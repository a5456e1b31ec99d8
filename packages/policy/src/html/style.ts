/** The style of a page: light and dark by the reader's system, and for paper. */

export const STYLE = `
:root { color-scheme: light dark;
  --bg: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0; --code: #eef1f4;
  --yes: #d3efe6; --yes-ink: #0b5d49; --no: #fbded5; --no-ink: #97290c; --mix: #fdf0c4; --mix-ink: #6a4a00;
  --more: #0b6e57; --less: #b23a12; --both: #6d3fa8; --errno: #1f5fae; --sign: #fff; --focus: #1f5fae;
  --shade: 0 1px 2px #1b1f2414, 0 2px 8px #1b1f240f; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #101418; --card: #181d23; --ink: #e7ebf0; --soft: #9da8b4; --line: #333c46; --code: #232a32;
  --yes: #12392f; --yes-ink: #7fe0c4; --no: #47200f; --no-ink: #ffb399; --mix: #3c310c; --mix-ink: #f2d472;
  --more: #4fcfab; --less: #ff8a63; --both: #c9a2ff; --errno: #7db6ff; --sign: #0d1114; --focus: #7db6ff;
  --shade: 0 1px 2px #0008; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
  font-size: .87em; unicode-bidi: isolate; }
header, main, footer { max-width: 110rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.15rem; margin: 0; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem; margin: 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; min-width: 0; overflow-wrap: break-word; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.1rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .45rem .9rem;
  box-shadow: var(--shade); min-width: 6.5rem; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: .85rem; }
.bar { position: sticky; top: 0; z-index: 6; display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: center;
  background: var(--bg); padding: .5rem 0; border-bottom: 1px solid var(--line); }
.bar label { color: var(--soft); font-size: .87rem; display: inline-flex; gap: .4rem; align-items: center; }
.bar input[type=search] { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; padding: .2rem .5rem; width: 13rem; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem .9rem; margin: 0; padding: 0; list-style: none; font-size: .85rem; }
.legend li { display: inline-flex; gap: .4rem; align-items: center; }
.legend .s { width: 1.7rem; height: 1.35rem; border-radius: 4px; display: inline-flex; justify-content: center;
  align-items: center; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shade);
  margin: 1rem 0; padding: .9rem 1rem; }
section > p { margin: .25rem 0 0; color: var(--soft); }
.head { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; }
.head span { color: var(--soft); font-size: .9rem; }
.scroll { overflow: auto; width: fit-content; max-width: 100%; max-height: 80vh; margin-top: .7rem; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; }
.grid th { background: var(--card); font-weight: 500; font-size: .84rem; text-align: left; }
.grid thead th { position: sticky; top: 0; z-index: 2; vertical-align: bottom; padding: .45rem .5rem;
  border-bottom: 1px solid var(--line); max-width: 13rem; min-width: 5.5rem; overflow-wrap: break-word; }
.grid tbody th { position: sticky; left: 0; z-index: 1; white-space: nowrap; padding: .1rem .7rem .1rem .6rem;
  border-right: 1px solid var(--line); max-width: 18rem; overflow: hidden; text-overflow: ellipsis; }
.grid thead th:first-child { left: 0; z-index: 3; border-right: 1px solid var(--line); }
.tall thead th:not(:first-child) { min-width: 0; padding: .5rem .1rem; }
.tall thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 13rem; line-height: 1.15; }
.grid td { padding: 1px; text-align: center; }
.grid button, .whole button { font: inherit; font-size: .82rem; font-weight: 600; border: 0; border-radius: 4px; cursor: pointer;
  display: inline-flex; align-items: center; justify-content: center; gap: .3rem; width: 100%; min-width: 1.75rem;
  height: 1.6rem; padding: 0 .3rem; font-variant-numeric: tabular-nums; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.grid button { position: relative; }
.whole { margin-top: .6rem; } .whole button { width: auto; padding: 0 .8rem; height: 2rem; }
button:focus-visible, input:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; }
button:hover { filter: brightness(.94); } @media (prefers-color-scheme: dark) { button:hover { filter: brightness(1.25); } }
button[aria-expanded=true] { outline: 2px solid var(--ink); outline-offset: 0; }
.A { background: var(--yes); color: var(--yes-ink); } .R { background: var(--no); color: var(--no-ink); }
.M { background: var(--mix); color: var(--mix-ink); } .V { color: var(--soft); }
.O { background: var(--code); color: var(--ink); }
.diff .A, .diff .R, .diff .M, .diff .O { background: transparent; color: var(--soft); box-shadow: inset 0 0 0 1px var(--line); }
.diff .CA { background: var(--more); } .diff .CR { background: var(--less); } .diff .CB { background: var(--both); }
.diff .CE { background: var(--errno); }
.diff .CA, .diff .CR, .diff .CB, .diff .CE { color: var(--sign); box-shadow: none; }
i { display: inline-block; width: .72em; height: .72em; background: currentColor; flex: none; }
.y { clip-path: polygon(8% 55%, 22% 40%, 40% 60%, 80% 12%, 95% 26%, 41% 90%); }
.n { clip-path: polygon(18% 5%, 50% 37%, 82% 5%, 95% 18%, 63% 50%, 95% 82%, 82% 95%, 50% 63%, 18% 95%, 5% 82%, 37% 50%, 5% 18%); }
.q { clip-path: polygon(50% 2%, 98% 50%, 50% 98%, 2% 50%); }
.plus { clip-path: polygon(40% 5%, 60% 5%, 60% 40%, 95% 40%, 95% 60%, 60% 60%, 60% 95%, 40% 95%, 40% 60%, 5% 60%, 5% 40%, 40% 40%); }
.minus { clip-path: polygon(5% 40%, 95% 40%, 95% 60%, 5% 60%); }
.ne { clip-path: polygon(5% 25%, 55% 25%, 65% 0, 80% 5%, 72% 25%, 95% 25%, 95% 42%, 65% 42%, 58% 58%, 95% 58%, 95% 75%, 50% 75%, 40% 100%, 25% 95%, 32% 75%, 5% 75%, 5% 58%, 40% 58%, 46% 42%, 5% 42%); }
.list { width: 100%; font-size: .9rem; margin-top: .5rem; }
.list th { text-align: left; color: var(--soft); font-weight: 500; }
.list th, .list td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.list td { overflow-wrap: break-word; min-width: 0; } .list td:first-child { white-space: nowrap; }
.list tr:target { background: var(--mix); }
.tag { display: inline-flex; gap: .35rem; align-items: center; border-radius: 4px; padding: 0 .45rem; font-weight: 600; }
#panel { position: fixed; z-index: 10; right: 0; top: 0; bottom: 0; width: min(34rem, 100vw); overflow: auto; padding: 1rem 1.2rem 2rem;
  background: var(--card); border-left: 1px solid var(--line); box-shadow: -6px 0 24px #0003; }
#panel h2 { padding-right: 4.5rem; overflow-wrap: anywhere; } #panel h3 { font-size: .95rem; margin: 1.1rem 0 .3rem; }
#panel h4 { font-size: .84rem; color: var(--soft); font-weight: 500; margin: .7rem 0 .2rem; }
#panel ul { margin: 0; padding-left: 1.1rem; overflow-wrap: anywhere; } #panel p { margin: .2rem 0; }
#panel pre, .text { background: var(--code); border-radius: 6px; padding: .4rem .6rem; margin: .2rem 0 .5rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
#panel .where { font-size: .84rem; color: var(--soft); }
#close { position: absolute; right: 1rem; top: 1rem; font: inherit; font-size: .85rem; color: var(--ink); background: var(--code);
  border: 1px solid var(--line); border-radius: 6px; padding: .15rem .7rem; cursor: pointer; }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 2rem; }
[hidden] { display: none !important; }
@media (min-width: 75rem) { body.open main, body.open header, body.open footer { margin-right: 34rem; } }
@media (max-width: 40rem) { header, main, footer { padding-left: .8rem; padding-right: .8rem; }
  header { padding-top: .8rem; } h1 { font-size: 1.25rem; margin-bottom: .3rem; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts dt { font-size: .8rem; margin-top: .2rem; }
  .tiles { gap: .3rem; margin: .6rem 0; } .tiles li { padding: .2rem .5rem; min-width: 0; display: flex; gap: .35rem; align-items: baseline; }
  .tiles b { font-size: 1rem; } .bar { position: static; } .bar label { width: 100%; } .bar input[type=search] { flex: 1; width: 0; }
  .scroll { max-height: none; overflow: visible; width: auto; border: 0; }
  .grid, .grid tbody, .grid tr, .grid tbody th, .grid td, .list, .list tbody, .list tr, .list td { display: block; }
  .grid thead, .list thead, .grid td.V { display: none; }
  .grid tr { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: .3rem .6rem; }
  .grid tbody th { position: static; border: 0; padding: .1rem 0; max-width: none; white-space: normal; overflow: visible;
    font-size: 1rem; font-weight: 600; overflow-wrap: break-word; }
  .grid td { display: flex; gap: .8rem; align-items: center; justify-content: space-between; padding: .2rem 0; text-align: left;
    border-top: 1px solid var(--line); }
  .grid td::before { content: attr(data-label); min-width: 0; overflow-wrap: break-word; font-size: .9rem; }
  .grid button { width: auto; min-width: 3rem; flex: none; }
  .list td { border: 0; padding: .1rem 0; } .list td:first-child { white-space: normal; }
  .list tr { border-bottom: 1px solid var(--line); padding: .3rem 0; }
  #panel { top: auto; width: 100%; max-height: 65vh; border-left: 0; border-top: 1px solid var(--line); } }
@page { size: landscape; margin: 10mm; }
@media print { :root { font-size: 10px; --bg: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f3f3f3;
  --yes: #d3efe6; --yes-ink: #0b5d49; --no: #fbded5; --no-ink: #97290c; --mix: #fdf0c4; --mix-ink: #6a4a00;
  --more: #0b6e57; --less: #b23a12; --both: #6d3fa8; --errno: #1f5fae; --sign: #fff; --shade: none; }
  body { font-size: 10px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .bar { position: static; } .bar label, #panel { display: none; } .scroll { max-height: none; overflow: visible; border: 0; }
  .grid th { position: static !important; } section { break-inside: auto; padding: .4rem; } tr { break-inside: avoid; }
  .scroll { width: auto; } .grid button { min-width: 0; height: 1.4rem; padding: 0 .1rem; }
  .grid td::before { content: none; } .tall thead th span { font-size: .9em; } .tall td { padding: 0; } .tall button { border-radius: 0; gap: 0; font-size: 7px; }
  header, main, footer { padding: 0; max-width: none; } }
`;
