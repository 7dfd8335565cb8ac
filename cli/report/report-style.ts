/**
 * The report's style sheet. Colours are chosen for a contrast of at least 4.5:1 on the page in both schemes; first and
 * second are told apart without colour vision (blue and orange; marks differ in shape too).
 */
export const reportStyle = `
:root { color-scheme: light dark; --page: #fff; --panel: #f4f4f2; --text: #1b1b1b; --quiet: #595959; --line: #d5d5d2; --link: #0b57a4;
  --first: #2166ac; --second: #b04a00; --good: #1a6b2d; --bad: #a3161a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161618; --panel: #222226; --text: #ececec; --quiet: #aeaeb4; --line: #45454b; --link: #8ec1f7;
    --first: #7fb5ea; --second: #f0a35e; --good: #7fd493; --bad: #ff9d9d; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header, main, nav { max-width: 62rem; margin: 0 auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.5rem 0 .5rem; }
h2 { font-size: 1.35rem; margin: 2.5rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible, input:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: .5rem 0; list-style: none; }
.quiet, caption, figcaption, .when { color: var(--quiet); }
.quiet { font-weight: 400; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); min-width: 6rem; }
thead th { white-space: nowrap; }
tbody th { font-weight: 600; min-width: 9rem; max-width: 22rem; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { font-weight: 700; }
.passed { color: var(--good); }
.banner { padding: .5rem .75rem; background: var(--panel); border-left: .3rem solid var(--second); font-weight: 600; }
.preliminary { color: var(--second); }
.failed { color: var(--bad); }
.chart svg { display: block; width: 100%; height: auto; }
.chart-wide { max-width: 680px; }
.chart-narrow { display: none; max-width: 340px; }
@media (max-width: 44rem) { .chart-wide { display: none; } .chart-narrow { display: block; } }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 1rem; padding: 0; margin: .75rem 0; list-style: none; }
figure { margin: 0; padding: .75rem; background: var(--panel); border-radius: .5rem; height: 100%; }
figcaption { font-size: .9rem; margin-top: .4rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.image, .frame { display: block; }
.frame { overflow: hidden; border-radius: .25rem; }
.when { font-size: .85rem; }
img { display: block; width: 100%; height: auto; }
.veil { display: block; cursor: pointer; }
.reveal { display: inline-block; padding: .25rem 0; }
.veil img { filter: blur(2rem) saturate(.4); transform: scale(1.2); }
.veil:has(input:checked) img { filter: none; transform: none; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, caption, tbody, tr, tbody th, td { display: block; }
  tr { margin: .5rem 0; padding: .5rem .75rem; background: var(--panel); border-radius: .5rem; }
  tbody th, td { min-width: 0; max-width: none; padding: .1rem 0; border: 0; }
  td:empty { display: none; }
  td::before { content: attr(data-label) ": "; color: var(--quiet); }
}
summary { cursor: pointer; padding: .25rem 0; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; }
`;
