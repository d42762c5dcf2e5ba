/** The style of a report: light and dark, wide and narrow, on the screen and on paper. */
export const STYLE = /* css */ `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --card: #f7f8fa; --text: #1c2430; --quiet: #566070; --line: #dfe3e9;
  --track: #e4e8ee; --base: #0067a3; --small: #b84700; --small-2: #7b3294; --small-3: #8a6a00;
  --small-4: #b0307a; --small-5: #5b4636; --extra: #00795a; --other: #8a93a1;
  --good: #00704f; --bad: #b3261e; --on-base: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1a2028; --text: #e6eaf0; --quiet: #a3adbb; --line: #2c343f;
    --track: #2d3641; --base: #5bb4ee; --small: #ff9a52; --small-2: #caa2ea; --small-3: #e3c34f;
    --small-4: #f49ac6; --small-5: #c9b299; --extra: #4fcda6; --other: #7c8797;
    --good: #5fd3a8; --bad: #ff8a80; --on-base: #0b1016;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 40px 40px 64px; max-width: 1200px; background: var(--ground);
  color: var(--text); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; font-weight: 650; }
h2 { margin: 0 0 20px; font-size: 20px; line-height: 1.3; font-weight: 650; }
h3 { margin: 0; font-size: 14px; font-weight: 650; }
p { margin: 0 0 12px; max-width: 72ch; }
a { color: var(--base); text-underline-offset: 2px; }
section { padding-top: 44px; }
section#result { padding-top: 0; }
.quiet, .lead { color: var(--quiet); }
.lead { margin: 6px 0 24px; }
.answer { font-size: 18px; line-height: 1.5; margin: 22px 0 24px; max-width: 66ch; }
.state { display: inline-block; margin-left: 10px; padding: 1px 10px; border-radius: 99px;
  font-size: 13px; font-weight: 600; vertical-align: 5px; border: 1px solid currentColor; }
.state.finished { color: var(--good); } .state.running { color: var(--base); }
.state.stopped { color: var(--quiet); }
nav { margin: 28px 0 0; padding: 10px 0; border-block: 1px solid var(--line); font-size: 14px;
  display: flex; flex-wrap: wrap; gap: 4px 20px; }
nav a { text-decoration: none; color: var(--quiet); } nav a:hover { color: var(--text); }
.networks { display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 262px), 1fr)); }
.network { background: var(--card); border-top: 4px solid var(--own); padding: 14px 18px 16px; }
.network h3 { color: var(--own); font-size: 15px; }
.network .top1 { font-size: 34px; line-height: 1.2; font-weight: 650; margin: 4px 0 0; }
.network .of { color: var(--quiet); font-size: 13px; margin: 0 0 10px; }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: 3px 18px; }
dt { color: var(--quiet); } dd { margin: 0; }
.network dl { column-gap: 12px; }
.network dd { text-align: right; white-space: nowrap; }
.proof { margin: 22px 0 0; padding-left: 16px; border-left: 3px solid var(--good); }
.proof.none { border-color: var(--line); color: var(--quiet); }
.proof p:last-child { margin: 0; }
.charts { display: grid; gap: 32px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); }
.charts.three { gap: 28px 32px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.charts + .charts { margin-top: 32px; }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figcaption { margin-bottom: 6px; }
.key { list-style: none; margin: 2px 0 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: 0 16px; font-size: 13px; color: var(--quiet); }
.key li::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 6px;
  vertical-align: 4px; background: var(--own); }
.key li.dashed::before { background: repeating-linear-gradient(90deg, var(--own) 0 4px, transparent 4px 6px); }
.key li.dotted::before { background: repeating-linear-gradient(90deg, var(--own) 0 2px, transparent 2px 4px); }
.key li.alternating::before { background: linear-gradient(90deg, var(--own) 0 8px, transparent 8px 11px, var(--own) 11px); }
.key li.dot::before { width: 9px; height: 9px; border-radius: 9px; vertical-align: 0; }
.key b { color: var(--text); font-weight: 600; }
.plot svg { display: block; width: 100%; height: auto; overflow: visible; color: var(--quiet); }
.narrow { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; width: 100%; }
caption { text-align: left; color: var(--quiet); padding-bottom: 6px; }
th, td { padding: 6px 20px 6px 0; text-align: left; vertical-align: baseline; font-weight: 400;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th:last-child, td:last-child { padding-right: 2px; }
thead th { color: var(--quiet); font-size: 13px; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.mark { display: inline-block; width: 9px; height: 9px; border-radius: 9px; margin-right: 8px;
  background: var(--own); }
.bar { display: inline-block; width: 90px; height: 8px; background: var(--track); vertical-align: 1px; }
.bar i { display: block; height: 100%; background: var(--own); }
.ratio { color: var(--quiet); margin-left: 0.45em; }
.part { display: inline-block; min-width: 4.1em; }
.nowrap { white-space: nowrap; }
.gap { margin-top: 28px; }
.pictures { display: grid; gap: 20px 16px; margin: 14px 0 28px;
  grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); }
.pictures img { display: block; width: 100%; max-width: 128px; aspect-ratio: 1; object-fit: contain;
  background: var(--card); }
.pictures img.pixels { image-rendering: pixelated; }
.pictures figcaption { margin: 6px 0 0; font-size: 12px; line-height: 1.45; color: var(--quiet); }
.pictures b { color: var(--text); font-weight: 600; }
.said { color: var(--own); }
img.kept { max-width: 100%; height: auto; background: #ffffff; }
pre { margin: 0 0 16px; padding: 12px 16px; background: var(--card); overflow-x: auto;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap; }
code { font: 12px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--quiet); }
details { margin-top: 16px; } summary { cursor: pointer; color: var(--quiet); }
details > :nth-child(2) { margin-top: 12px; }
footer { margin-top: 48px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--quiet);
  font-size: 13px; }
@media (max-width: 720px) {
  body { padding: 24px 20px 48px; }
  h1 { font-size: 25px; } .answer { font-size: 17px; }
  section { padding-top: 36px; }
  .wide { display: none; } .narrow { display: block; }
  .pictures { grid-template-columns: repeat(3, 1fr); }
  th, td { padding-right: 14px; }
}
@media print {
  :root { --ground: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #bbb; --track: #ddd;
    --base: #0067a3; --small: #b84700; --small-2: #7b3294; --small-3: #8a6a00; --small-4: #b0307a;
    --small-5: #5b4636; --extra: #00795a; --other: #777; --good: #00704f; --on-base: #fff; }
  body { padding: 0; max-width: none; font-size: 11pt; }
  nav { display: none; } a { color: inherit; text-decoration: none; }
  .network { border: 1px solid var(--line); border-top: 4px solid var(--own); }
  section { padding-top: 24px; } h2 { break-after: avoid; }
  tr, .pictures figure { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
