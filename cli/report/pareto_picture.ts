import { accuracyDomain, isWide, logTicks } from "./cost_axis.ts";
import type * as PlotModule from "@observablehq/plot";
import { printable } from "../../data/printable.ts";
import { percent } from "../../data/words.ts";
import { AWAY, spread } from "./compare_picture.ts";
import { front, type Measure, measuresOf, type ParetoPoint } from "./pareto_points.ts";
import { COLOURS, type Drawing, openDrawing, picture, placed, textAt } from "./picture_document.ts";

/** Pixels of the picture, of a panel's height, above it, and of a line of the table. */
const WIDTH = 960;
const HEIGHT = 280;
const TOP = 60;
const LINE = 19;
/** The axis of a measure: from 0 on, or logarithmic where values are far apart. */
function costAxis(
  values: readonly number[],
  { label, tick }: Measure,
  width: number,
): PlotModule.ScaleOptions {
  const words = { label, labelAnchor: "center", labelArrow: "none", tickFormat: tick } as const;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!isWide([low, high])) {
    return { ...words, domain: [0, high > 0 ? 1.06 * high : 1], ticks: Math.floor(width / 110) };
  }
  const domain = [low / 1.4, high * 1.4] as const;
  return { ...words, type: "log", domain, ticks: logTicks(domain, 3) };
}

function panelMarkup(
  { Plot, document }: Drawing,
  points: readonly ParetoPoint[],
  measure: Measure,
  place: { readonly x: number; readonly y: number; readonly width: number },
): string {
  const drawn = points.flatMap((point, i) => {
    const cost = measure.of(point);
    return cost === undefined
      ? []
      : [{ number: String(i + 1), cost, top1: 100 * point.top1, colour: point.colour }];
  });
  const best = front(points, measure).map((point) => ({
    cost: measure.of(point),
    top1: 100 * point.top1,
  }));
  const plot = Plot.plot({
    document,
    width: place.width,
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 36,
    marginTop: 12,
    marginBottom: 42,
    style: { fontSize: "11px" },
    x: costAxis(drawn.map(({ cost }) => cost), measure, place.width),
    y: { label: null, grid: true, domain: accuracyDomain(points), ticks: 6 },
    marks: [
      Plot.line(best, { x: "cost", y: "top1", curve: "step-after", stroke: COLOURS.pale }),
      Plot.dot(drawn, {
        x: "cost",
        y: "top1",
        fill: (point: { readonly colour: string }) => point.colour,
        stroke: "white",
        strokeWidth: 0.5,
        r: 5,
      }),
    ],
  });
  const [x, y] = [plot.scale("x"), plot.scale("y")];
  const labels = spread(drawn.map(({ cost, top1 }) => ({
    x: place.x + Number(x?.apply(cost)),
    y: place.y + Number(y?.apply(top1)),
  })));
  const leaders = labels.map((label, i) => {
    const { colour, number } = drawn[i];
    const end = label.x + AWAY;
    const text = textAt(number, { x: end, y: label.labelY + 4, size: 11 });
    return `<path d="M${label.x + 5},${label.y}L${end - 3},${label.labelY}" stroke="${colour}" ` +
      `fill="none"/><g stroke="white" stroke-width="4" paint-order="stroke">${text}</g>`;
  });
  return [placed(plot, place), ...leaders].join("\n");
}

/** What all networks are and take, one in a line, with the numbers that panels name them by. */
function table(
  points: readonly ParetoPoint[],
  measures: readonly Measure[],
  top: number,
): string[] {
  const heads = ["top-1", ...measures.map(({ head }) => head)];
  const at = (column: number): number => WIDTH - 24 - 92 * (heads.length - 1 - column);
  const head = heads.map((text, i) =>
    textAt(text, { x: at(i), y: top, size: 11, bold: true, anchor: "end" })
  );
  // The room that is left of the numbers, in letters.
  const letters = Math.floor((at(0) - 60 - 60) / 6.6);
  const lines = points.flatMap((point, i) => {
    const y = top + LINE * (i + 1);
    const { name, run, colour, top1 } = point;
    const words = printable(run === undefined ? name : `${name}, ${run}`, letters);
    const values = measures.map(({ of, words }) => {
      const value = of(point);
      return value === undefined ? "" : words(value);
    });
    return [
      `<circle cx="22" cy="${y - 4}" r="5" fill="${colour}"/>`,
      textAt(String(i + 1), { x: 50, y, anchor: "end" }),
      textAt(words, { x: 60, y }),
      ...[percent(top1), ...values].map((text, column) =>
        textAt(text, { x: at(column), y, anchor: "end" })
      ),
    ];
  });
  return [...head, ...lines];
}

/**
 * Accuracy of networks against all that they take as an SVG picture: a panel for each measure, the
 * line of those that no other beats, and a table.
 */
export async function drawPareto(
  points: readonly ParetoPoint[],
  { title, test }: {
    readonly title: string;
    /** Whether accuracies are those on the test images of the set. */
    readonly test: boolean;
  },
): Promise<string> {
  const drawing = await openDrawing();
  const measures = measuresOf(points);
  const columns = measures.length === 4 ? 2 : measures.length;
  const width = WIDTH / columns;
  const panels = measures.map((measure, i) =>
    panelMarkup(drawing, points, measure, {
      x: width * (i % columns),
      y: TOP + HEIGHT * Math.floor(i / columns),
      width,
    })
  );
  const rows = TOP + HEIGHT * Math.ceil(measures.length / columns) + 24;
  return picture({ title, width: WIDTH, height: rows + LINE * points.length + 20 }, [
    textAt(`${test ? "Test" : "Validation"} accuracy, %`, { x: 16, y: 48 }),
    ...panels,
    ...table(points, measures, rows),
  ]);
}
