/** The bar that says how a run goes, below the page. */
const STYLE = `
#live { position: fixed; inset: auto 0 0 0; z-index: 9; display: flex; flex-wrap: wrap; gap: 2px 14px;
  align-items: center; padding: 8px max(16px, calc((100vw - 1120px) / 2)); font-size: 14px;
  background: var(--card); color: var(--text); border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
#live .live-state { font-weight: 600; color: var(--quiet); }
#live .live-state::before { content: "○ "; }
#live.running .live-state { color: var(--base); } #live.running .live-state::before { content: "● "; }
#live.finished .live-state { color: var(--good); } #live.finished .live-state::before { content: "✓ "; }
#live.lost .live-state { color: var(--bad); } #live.lost .live-state::before { content: "! "; }
#live .live-words { flex: 1 1 auto; color: var(--quiet); }
#live .live-track { flex: 1 1 160px; max-width: 280px; height: 6px; background: var(--track); }
#live .live-track[hidden] { display: none; }
#live .live-track i { display: block; height: 100%; width: 0; background: var(--base);
  transition: width 0.3s; }
body { padding-bottom: 96px; }
@media print { #live { display: none; } }
@media (prefers-reduced-motion: reduce) { #live .live-track i { transition: none; } }
`;

/** The page of a report that goes on: with a bar below, and the script that swaps what has changed. */
export function livePage(
  html: string,
  { version, status }: { readonly version: number; readonly status: string },
): string {
  const bar = `<div id="live" class="${status}" data-version="${version}" role="status">` +
    `<span class="live-state">${status === "running" ? "live" : status}</span>` +
    `<span class="live-words"></span><span class="live-track" hidden><i></i></span></div>`;
  return html
    .replace("</head>", () => `<style>${STYLE}</style>\n</head>`)
    .replace(
      "</body>",
      () => `${bar}\n<script type="module" src="live/script.js"></script>\n</body>`,
    );
}
