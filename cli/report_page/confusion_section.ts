import { percent, plural } from "../../data/words.ts";
import { isWhich, networkWords } from "../../nn/which.ts";
import { validationWord } from "../report/header.ts";
import type { Drawing } from "../report/picture_document.ts";
import { grouped } from "../text.ts";
import { coloursOf } from "./colours.ts";
import { figure } from "./figure.ts";
import type { KeptClasses, KeptReport } from "./kept_report.ts";
import { Markup, markup, type Piece, section, shown, table } from "./markup.ts";
import type { RunReport } from "./report_data.ts";

/** Classes up to which there is a matrix, and pairs that are listed of each network. */
const [DRAWN, LISTED] = [20, 20];

/** Pixels of a matrix, and letters of a name in it. */
const SIDE = 420;
const LONGEST = 16;

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
  /** The part of the images of its row. */
  readonly share: number;
}

function cellsOf({ images, right, confused }: KeptClasses): Cell[] {
  const cells = [...right.map((count, label) => [label, label, count]), ...confused];
  return cells.filter(([, , count]) => count > 0).map(([row, column, count]) => ({
    ...{ row, column, count },
    share: count / images[row],
  }));
}

/** The matrix of a network as SVG. */
function drawMatrix(
  { Plot, document }: Drawing,
  classes: KeptClasses,
  { names, colour, label }: {
    readonly names: readonly string[];
    readonly colour: string;
    readonly label: string;
  },
): Markup {
  const cells = cellsOf(classes);
  const labels = names.map((name) => shown(name, LONGEST));
  const room = Math.max(40, 12 + 7 * Math.max(...labels.map(({ length }) => length)));
  const cell = (SIDE - room) / names.length;
  const axis = {
    domain: labels.map((_, i) => i),
    type: "band",
    padding: 0,
    tickFormat: (i: number) => labels[i],
    tickSize: 0,
  } as const;
  const plot = Plot.plot({
    document,
    width: SIDE,
    height: SIDE,
    marginLeft: room,
    marginBottom: room,
    marginTop: 2,
    marginRight: 2,
    ariaLabel: label,
    style: { fontSize: "12px", background: "none" },
    x: { ...axis, label: null, tickRotate: -90 },
    y: { ...axis, label: null },
    marks: [
      Plot.cell(cells, {
        x: "column",
        y: "row",
        fill: colour,
        fillOpacity: ({ share }: Cell) => 0.06 + 0.94 * share,
        inset: 0.5,
        title: ({ row, column, count, share }: Cell) =>
          `${labels[row]}, taken for ${labels[column]}\n${count}, ${percent(share)}`,
      }),
      ...cell < 16 ? [] : [
        Plot.text(cells, {
          x: "column",
          y: "row",
          text: ({ count }: Cell) => String(count),
          fill: ({ share }: Cell) => share > 0.55 ? "var(--on-base)" : "var(--text)",
          fontSize: Math.min(12, cell / 2.6),
          pointerEvents: "none",
        }),
      ],
    ],
    opacity: { type: "identity" },
  });
  plot.setAttribute("role", "img");
  return new Markup(plot.outerHTML);
}

/** The most frequent confusions of a network. */
function pairTable(
  name: string,
  { images, confused }: KeptClasses,
  names: readonly string[],
): Piece {
  if (confused.length === 0) return undefined;
  return table({
    caption: `${name}: ${
      confused.length > LISTED ? `the ${LISTED} most frequent confusions` : "all confusions"
    }`,
    head: ["class", "taken for", "images", "of the class"],
    rows: confused.slice(0, LISTED).map(([label, predicted, count]) => [
      shown(names[label], 40),
      shown(names[predicted], 40),
      grouped(count),
      percent(count / images[label]),
    ]),
    text: [0, 1],
  });
}

function matrices(kept: KeptReport, drawing: Drawing): Piece {
  const names = Object.keys(kept.networks);
  const colour = coloursOf(names);
  return markup`<div class="charts${names.length > 2 ? " three" : ""}">${
    Object.entries(kept.networks).map(([name, classes]) => {
      const right = classes.right.reduce((a, b) => a + b, 0);
      const label =
        `Confusion matrix of ${name}: rows are classes, columns what they are taken for`;
      return figure({
        title: `The ${isWhich(name) ? networkWords(name) : name}`,
        entries: [{
          name: "right",
          colour: colour(name),
          value: `${grouped(right)} of ${plural(kept.images, "image")}`,
          kind: "dot",
        }],
      }, {
        narrow: drawMatrix(drawing, classes, { names: kept.classes, colour: colour(name), label }),
      });
    })
  }</div>`;
}

/** Which classes are taken for which: matrices of few classes, the most frequent pairs of many. */
export function confusionSection({ kept, earlier }: RunReport, drawing: Drawing): Piece {
  const drawn = earlier.filter(({ name }) => name.endsWith("confusion.svg"));
  if (!kept) {
    if (drawn.length === 0) return undefined;
    return section(
      "confusion",
      "Confusions",
      drawn.map(({ name, source }) =>
        markup`<p><img class="kept" src="${source}" alt="Confusion matrix, ${name}"></p>`
      ),
    );
  }
  if (Object.keys(kept.networks).length === 0) return undefined;
  const pairs = Object.entries(kept.networks)
    .map(([name, classes]) => pairTable(name, classes, kept.classes));
  const intro = markup`<p class="quiet">${
    `Rows are the classes of the ${validationWord(kept.test)} images, columns what they are ` +
    `taken for; the fuller a cell, the more of its row.`
  }</p>`;
  return kept.classes.length <= DRAWN
    ? section(
      "confusion",
      "Confusions",
      intro,
      matrices(kept, drawing),
      markup`
        <details>
          <summary>The most frequent confusions</summary>
          <div class="charts">${pairs}</div>
        </details>
      `,
    )
    : section("confusion", "Confusions", markup`<div class="charts">${pairs}</div>`);
}
