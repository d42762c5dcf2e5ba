import { percent } from "../../data/words.ts";
import { validationWord } from "../report/header.ts";
import { grouped } from "../text.ts";
import { coloursOf } from "./colours.ts";
import type { KeptReport } from "./kept_report.ts";
import { type Markup, markup, type Piece, section, shown, table } from "./markup.ts";
import type { RunReport } from "./report_data.ts";

/** Classes up to which all are shown, and those that are shown of more, worst and best. */
const [ALL, SOME] = [40, 20];

/** A class, and the part of its images that each network tells rightly. */
interface ClassRow {
  readonly label: number;
  readonly name: string;
  readonly images: number;
  readonly recall: readonly number[];
}

function rowsOf({ classes, networks }: KeptReport): ClassRow[] {
  const all = Object.values(networks);
  return classes.map((name, label) => ({
    label,
    name,
    images: all[0]?.images[label] ?? 0,
    recall: all.map(({ right, images }) => images[label] ? right[label] / images[label] : NaN),
  })).filter(({ images }) => images > 0);
}

/** A fraction as a bar and as a number. */
function bar(fraction: number, colour: string): Markup {
  const width = `width: ${(100 * fraction).toFixed(1)}%`;
  return markup`<span class="bar" aria-hidden="true" style="--own: ${colour}"><i style="${width}"></i></span>
    <span class="part">${percent(fraction)}</span>`;
}

function classTable(
  rows: readonly ClassRow[],
  { names, caption }: { readonly names: readonly string[]; readonly caption?: string },
): Markup {
  const colour = coloursOf(names);
  const difference = names.length === 2 ? ["difference"] : [];
  return table({
    caption,
    head: ["class", "images", ...names, ...difference],
    rows: rows.map(({ name, images, recall }) => [
      shown(name, 40),
      grouped(images),
      ...recall.map((part, i) => bar(part, colour(names[i]))),
      ...difference.map(() => {
        const points = 100 * (recall[1] - recall[0]);
        return `${points < 0 ? "−" : points > 0 ? "+" : ""}${Math.abs(points).toFixed(1)}`;
      }),
    ]),
  });
}

/** How many images of each class each network gets right; of many classes the worst and best. */
export function classesSection({ kept }: RunReport): Piece {
  if (!kept) return undefined;
  const names = Object.keys(kept.networks);
  if (names.length === 0) return undefined;
  // The last network is the one that is cut most.
  const sorted = rowsOf(kept).toSorted((a, b) =>
    a.recall[names.length - 1] - b.recall[names.length - 1] || a.label - b.label
  );
  const word = validationWord(kept.test);
  const intro = markup`<p class="quiet">${
    `The part of the ${word} images of each class that each network gets right, ` +
    `the worst of ${names[names.length - 1]} first.`
  }</p>`;
  if (sorted.length <= ALL) {
    return section("classes", "Classes", intro, classTable(sorted, { names }));
  }
  return section(
    "classes",
    "Classes",
    intro,
    classTable(sorted.slice(0, SOME), { names, caption: `The worst ${SOME} of ${sorted.length}` }),
    markup`<div class="gap">${
      classTable(sorted.slice(-SOME).toReversed(), {
        names,
        caption: `The best ${SOME} of ${sorted.length}`,
      })
    }</div>`,
  );
}
