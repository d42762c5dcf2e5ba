import { RUNTIME } from "../../export/onnx_runtime.ts";
import { shellWord } from "../run/shell_word.ts";
import { fileSize } from "../text.ts";
import { type Markup, markup, type Piece, section, shown, table } from "./markup.ts";
import type { ReportData } from "./report_data.ts";

/** The options that say most about a run, in words. */
const OPTIONS: readonly (readonly [name: string, words: string])[] = [
  ["mode", "mode"],
  ["model", "model"],
  ["compression", "compression"],
  ["dataset", "images"],
  ["dataDir", "from"],
  ["imageSize", "image size"],
  ["epochs", "epochs"],
  ["batchSize", "batch"],
  ["opt", "optimiser"],
  ["sched", "schedule"],
  ["lr", "learning rate"],
  ["weightDecay", "weight decay"],
  ["augment", "augmentation"],
  ["seed", "seed"],
];

function optionRows(config: Readonly<Record<string, unknown>>): Piece {
  return OPTIONS.flatMap(([name, words]): Piece[] => {
    const value = config[name];
    if (
      value === undefined || value === null || typeof value === "object" && !Array.isArray(value)
    ) {
      return [];
    }
    return [markup`
      <dt>${words}</dt>
      <dd>${shown(String(value), 200)}</dd>
    `];
  });
}

function factRows(report: ReportData): Piece {
  const adapter = report.kind === "run" ? report.summary?.adapter : report.comparison.adapter;
  const versions = report.kind === "run" ? report.kept?.versions : undefined;
  const timed = report.points.some(({ latency }) => latency !== undefined);
  const facts: (readonly [string, string])[] = [
    ...adapter ? [["adapter", adapter] as const] : [],
    ...Object.entries(versions ?? {}),
    ...timed ? [["latency in", `onnxruntime-web ${RUNTIME}, one thread`] as const] : [],
    [
      "report",
      `adjoin ${report.version}, ${report.read.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    ],
  ];
  return facts.map(([name, value]) =>
    markup`
      <dt>${shown(name)}</dt>
      <dd>${shown(value, 200)}</dd>
    `
  );
}

/** How a run was done, and how to do it again. */
export function runSection(report: ReportData): Markup {
  const { command, config } = report;
  const typed = report.kind === "run" ? report.kept?.command : undefined;
  const line = ["deno", "task", ...command].map(shellWord).join(" ");
  return section(
    "run",
    "How it was made",
    markup`
      <p>To make it again:</p>
      <pre>${shown(line, 4000)}</pre>
      ${
      typed?.length &&
      markup`<p class="quiet">It was typed as <code>${
        shown(typed.map(shellWord).join(" "), 4000)
      }</code></p>`
    }
      <div class="charts">
        <dl>${optionRows(config)}</dl>
        <dl>${factRows(report)}</dl>
      </div>
      <p class="quiet gap">All options are in <a href="config.json">config.json</a>.</p>
    `,
  );
}

/** A link to a file beside the page. */
function link(name: string): Markup {
  const path = name.split("/").map(encodeURIComponent).join("/");
  return markup`<a href="${path}">${shown(name)}</a>`;
}

/** The files of the folder, with sizes and hashes. */
export function filesSection({ files }: ReportData): Piece {
  if (files.length === 0) return undefined;
  const hashed = files.some(({ sha256 }) => sha256);
  return section(
    "files",
    "Files",
    table({
      head: ["file", "size", ...hashed ? ["SHA-256"] : []],
      rows: files.map(({ name, bytes, sha256 }) => [
        link(name),
        fileSize(bytes),
        ...hashed ? [markup`<code>${sha256 ?? ""}</code>`] : [],
      ]),
      text: [0, 2],
    }),
  );
}
