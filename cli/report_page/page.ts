import type { Drawing } from "../report/picture_document.ts";
import { classesSection } from "./classes_section.ts";
import { comparisonResult, methodsSection, runsSection } from "./comparison_sections.ts";
import { comparedCurves } from "./compared_curves.ts";
import { confusionSection } from "./confusion_section.ts";
import { curvesSection } from "./curves_section.ts";
import { Markup, markup, type Piece, shown } from "./markup.ts";
import { picturesSection } from "./pictures_section.ts";
import type { ReportData } from "./report_data.ts";
import { resultSection } from "./result_section.ts";
import { filesSection, runSection } from "./run_section.ts";
import { searchSection } from "./search_section.ts";
import { STYLE } from "./style.ts";
import { tradeoffSection } from "./tradeoff_section.ts";
import { widthsSection } from "./widths_section.ts";

/** What the sections are called where they are linked to. */
const NAMES: Readonly<Record<string, string>> = {
  search: "Search",
  curves: "Training",
  methods: "Methods",
  tradeoff: "Accuracy and cost",
  widths: "Widths",
  classes: "Classes",
  confusion: "Confusions",
  pictures: "Pictures",
  runs: "Runs",
  run: "How it was made",
  files: "Files",
};

function idOf(piece: Piece): string | undefined {
  return piece instanceof Markup ? piece.source.match(/<section id="(\w+)"/)?.[1] : undefined;
}

/** Links to the sections that there are. */
function navigation(sections: readonly Piece[]): Markup {
  const ids = sections.flatMap((piece) => idOf(piece) ?? []);
  return markup`<nav aria-label="Sections">${
    ids.map((id) => markup`<a href="#${id}">${NAMES[id] ?? id}</a>`)
  }</nav>`;
}

function sectionsOf(report: ReportData, drawing: Drawing): Piece[] {
  if (report.kind === "comparison") {
    return [
      methodsSection(report, drawing),
      comparedCurves(report, drawing),
      tradeoffSection(report, drawing),
      runsSection(report),
      runSection(report),
      filesSection(report),
    ];
  }
  return [
    searchSection(report, drawing),
    curvesSection(report, drawing),
    tradeoffSection(report, drawing),
    widthsSection(report, drawing),
    classesSection(report),
    confusionSection(report, drawing),
    picturesSection(report),
    runSection(report),
    filesSection(report),
  ];
}

function titleOf(report: ReportData): string {
  const { status, name } = report;
  return `${shown(name)}${status === "finished" ? "" : ` (${status})`}, adjoin`;
}

/** The report of a run or of a comparison as a page of HTML that holds all it shows. */
export function reportPage(report: ReportData, drawing: Drawing): string {
  const sections = sectionsOf(report, drawing);
  const links = navigation(sections);
  const first = report.kind === "run"
    ? resultSection(report, links)
    : comparisonResult(report, links);
  return markup`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${titleOf(report)}</title>
        <link rel="icon" href="data:,">
        <style>${new Markup(STYLE)}</style>
      </head>
      <body>
        <main>${first}${sections}
        </main>
        <footer>${`Made by adjoin ${report.version} on ${
    report.read.toISOString().slice(0, 10)
  }.`}</footer>
      </body>
    </html>
  `.source;
}
