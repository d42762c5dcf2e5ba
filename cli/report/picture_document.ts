import type { Which } from "../../nn/which.ts";
import type * as PlotModule from "@observablehq/plot";

/** Plot, and a document for it to draw in where there is no browser. */
export interface Drawing {
  readonly Plot: typeof PlotModule;
  readonly document: PlotModule.PlotOptions["document"];
}

/** Colours that people who see few colours tell apart, on white. */
export const COLOURS = {
  base: "#0072b2",
  small: "#d55e00",
  kl: "#009e73",
  other: "#6b7280",
  text: "#1f2937",
  pale: "#d1d5db",
} as const;

/** Those of several small networks, in their order. */
const SMALL_COLOURS = [
  ...["#d55e00", "#7b3294", "#e69f00", "#cc79a7"],
  ...["#8c510a", "#56b4e9", "#b2182b", "#35978f"],
] as const;

/** The colour of a network among the small ones that there are. */
export function networkColour(which: Which, small: readonly Which[]): string {
  if (which === "base") return COLOURS.base;
  return SMALL_COLOURS[Math.max(0, small.indexOf(which)) % SMALL_COLOURS.length];
}

/** Loads what draws pictures, which only the end of a run needs. */
export async function openDrawing(): Promise<Drawing> {
  const Plot = await import("@observablehq/plot");
  const { DOMParser } = await import("linkedom");
  const document = new DOMParser().parseFromString("<html></html>", "text/html");
  return { Plot, document };
}

/** What XML has no characters for, not even as references. */
// deno-lint-ignore no-control-regex
const NO_CHARACTER = /[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/gu;

/** Text as it stands in markup; for what cannot stand there, the sign for that (U+FFFD). */
export function escapeText(text: string): string {
  return text.replace(NO_CHARACTER, "\ufffd").replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}

/** A line of text in a picture, from `x` on, with its baseline at `y`. */
export function textAt(
  text: string,
  { x, y, size = 12, bold = false, colour = COLOURS.text, anchor = "start" }: {
    readonly x: number;
    readonly y: number;
    /** Pixels. */
    readonly size?: number;
    readonly bold?: boolean;
    readonly colour?: string;
    readonly anchor?: "start" | "middle" | "end";
  },
): string {
  const weight = bold ? ' font-weight="600"' : "";
  return `<text x="${x}" y="${y}" font-size="${size}"${weight} fill="${colour}" ` +
    `text-anchor="${anchor}">${escapeText(text)}</text>`;
}

/**
 * A whole picture out of markup, under its title. It has a white ground of its own, as it may be
 * shown on any; `none` is for what is laid on pictures.
 */
export function picture(
  { title, width, height, ground = "white" }: {
    readonly title: string;
    readonly width: number;
    readonly height: number;
    readonly ground?: "white" | "none";
  },
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" ` +
    `color="${COLOURS.text}">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${ground}"/>`,
    textAt(title, { x: 16, y: 24, size: 14, bold: true }),
    ...parts,
    "</svg>",
  ].join("\n") + "\n";
}

/** The markup of a plot, at a place in a picture. */
export function placed(
  plot: ReturnType<typeof PlotModule.plot>,
  { x, y }: { readonly x: number; readonly y: number },
): string {
  plot.setAttribute("x", String(x));
  plot.setAttribute("y", String(y));
  return plot.outerHTML;
}
