import type * as PlotModule from "@observablehq/plot";

/** What a picture is drawn with: Plot, and a document for it where there is no browser. */
export interface Drawing {
  readonly Plot: typeof PlotModule;
  readonly document: PlotModule.PlotOptions["document"];
}

/** Loads what draws pictures, which only the end of a run needs. */
export async function openDrawing(): Promise<Drawing> {
  const Plot = await import("@observablehq/plot");
  const { DOMParser } = await import("linkedom");
  const document = new DOMParser().parseFromString("<html></html>", "text/html");
  return { Plot, document };
}
