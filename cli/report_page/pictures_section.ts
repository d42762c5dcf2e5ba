import { basename } from "node:path";
import { percent, plural } from "../../data/words.ts";
import { isWhich, networkWords } from "../../nn/which.ts";
import { grouped } from "../text.ts";
import { coloursOf } from "./colours.ts";
import type { Example, KeptReport } from "./kept_report.ts";
import { type Markup, markup, type Piece, section, shown } from "./markup.ts";
import type { RunReport } from "./report_data.ts";

/** Letters of a class below a picture. */
const LETTERS = 22;

function exampleFigure(
  { image, label, said, picture }: Example,
  { classes, between, networks }: KeptReport,
): Markup {
  const colour = coloursOf(Object.keys(networks));
  const own = shown(classes[label], LETTERS);
  const title = typeof image === "number" ? `image ${image}` : shown(image, 300);
  const pixels = picture?.startsWith("data:image/png") ? "pixels" : "";
  const alt = `${own}, ${typeof image === "number" ? title : shown(basename(image))}`;
  const seen = picture &&
    markup`<img class="${pixels}" src="${picture}" alt="${alt}" loading="lazy">`;
  const words = between.flatMap((name): Piece[] => {
    const saying = said[name];
    if (!saying) return [];
    const { predicted, probability } = saying;
    const isRight = predicted === label;
    return [
      markup`<br><span class="said" style="--own: ${colour(name)}">${
        isRight ? "✓" : "✗"
      } ${name}</span> ${isRight ? "" : shown(classes[predicted], LETTERS)} `,
      markup`<span class="nowrap">${percent(probability)}</span>`,
    ];
  });
  return markup`<figure title="${title}">${seen}<figcaption><b>${own}</b>${words}</figcaption></figure>`;
}

function sheet(examples: readonly Example[], kept: KeptReport): Markup {
  return markup`<div class="pictures">${examples.map((one) => exampleFigure(one, kept))}</div>`;
}

/** Pictures on which the base network and a small one differ, and other mistakes of which it is sure. */
export function picturesSection({ kept, earlier }: RunReport): Piece {
  const drawn = earlier.filter(({ name }) => name.endsWith("mistakes.png"));
  if (!kept) {
    if (drawn.length === 0) return undefined;
    return section(
      "pictures",
      "Pictures",
      drawn.map(({ name, source }) =>
        markup`<p><img class="kept" src="${source}" alt="The most confident mistakes, ${name}"></p>`
      ),
    );
  }
  const { disagreements, disagreeing, mistakes, between, images } = kept;
  if (disagreements.length + mistakes.length === 0) return undefined;
  const [last] = between.slice(-1);
  const called = isWhich(last) ? networkWords(last) : last;
  return section(
    "pictures",
    "Pictures",
    disagreements.length > 0 && between.length > 1
      ? markup`<h3>${`The ${
        between.map((name) => isWhich(name) ? networkWords(name) : name).join(" and the ")
      } differ`}</h3>
<p class="quiet">${
        `On ${grouped(disagreeing)} of ${plural(images, "image")}, ${
          percent(disagreeing / images)
        }; ` +
        `those of which both are surest:`
      }</p>${sheet(disagreements, kept)}`
      : undefined,
    mistakes.length > 0
      ? markup`<h3>${`${
        disagreements.length ? "Other mistakes" : "Mistakes"
      } of the ${called}`}</h3>
<p class="quiet">Those of which it is surest.</p>${sheet(mistakes, kept)}`
      : undefined,
  );
}
