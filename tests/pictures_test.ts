import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { DOMParser } from "linkedom";
import { drawConfusion } from "../cli/report/confusion_picture.ts";
import { drawComparison, spread } from "../cli/report/compare_picture.ts";
import { drawCurves } from "../cli/report/curves.ts";
import { drawWidths } from "../cli/report/widths_picture.ts";
import type { Comparison } from "../train/compare/comparison.ts";
import { METHOD_NAMES, rowsOf } from "../train/compare/methods.ts";
import type { EpochMetrics } from "../train/types.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "env");

function metrics(epoch: number, epochs: number): EpochMetrics {
  return {
    ...{ epoch, epochs, imagesPerSecond: 100, waiting: 0, etaSeconds: 0, seconds: 1 },
    ...{ loss: 2 / epoch, crossEntropy: 1 / epoch, kl: 0.5 / epoch, lambda: 0.5, lr: 1e-3 },
    training: { base: 0.5, small: 0.25 },
    validation: {
      base: { top1: 1 - 0.5 / epoch, top5: 1, loss: 1 / epoch },
      small: { top1: 1 - 0.75 / epoch, top5: 1, loss: 1.5 / epoch },
    },
  };
}

const OPTIONS = { test: false, smoothing: 0 };

/** The text of all headings, which are in bold, and what follows them in their line. */
function headings(svg: string): string[] {
  return [...svg.matchAll(/<text [^>]*><tspan font-weight="600">.*?<\/text>/g)]
    .map(([text]) => text.replace(/<\/tspan><tspan[^>]*>/g, " | ").replace(/<[^>]*>/g, ""));
}

/** How many lines each plot has. */
function lines(svg: string): number[] {
  return svg.split(/class="plot-/).slice(1)
    .map((plot) => plot.match(/aria-label="line"/g)?.length ?? 0).filter((count) => count > 0);
}

Deno.test("the curves have a panel for each kind of number, named with its last", {
  ignore,
}, async () => {
  for (const epochs of [1, 3, 100]) {
    const all = Array.from({ length: epochs }, (_, i) => metrics(i + 1, epochs));
    const svg = await drawCurves(all, "a < b & c", OPTIONS);
    assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
    assertStringIncludes(svg, "a &lt; b &amp; c");
    const [base, small] = [50, 75].map((error) => error / epochs).map((error) =>
      `${error.toFixed(error < 9.995 ? 2 : 1)} %`
    );
    const [one, more, two, half] = [1, 1.5, 2, 0.5].map((n) => (n / epochs).toFixed(3));
    assertEquals(headings(svg), [
      `Validation error, % | base ${base} | small ${small}`,
      `Validation cross entropy | base ${one} | small ${more} | training ${one}`,
      `Training loss | loss ${two} | KL term ${half}`,
      "Learning rate, end of epoch | 0.0010",
      "λ, weight of the KL term | 0.50",
    ]);
    assertEquals(lines(svg), [2, 3, 2, 1, 1]);
    assert(!svg.includes("NaN"));
  }
});

Deno.test("test images and smoothed labels are named in the curves", { ignore }, async () => {
  const svg = await drawCurves([metrics(1, 2), metrics(2, 2)], "", { test: true, smoothing: 0.1 });
  const [error, entropy] = headings(svg);
  assertStringIncludes(error, "Test error, %");
  assertEquals(
    entropy,
    "Test cross entropy | base 0.500 | small 0.750 | training (smoothed) 0.500",
  );
});

Deno.test("the curves of one network alone have neither KL term nor lambda", {
  ignore,
}, async () => {
  const { validation: { base }, ...rest } = metrics(1, 1);
  const alone = { ...rest, kl: 0, lambda: 1, loss: NaN, validation: { base } };
  const svg = await drawCurves([alone], "alone", OPTIONS);
  assert(!svg.includes("NaN"));
  assertEquals(headings(svg), [
    "Validation error, % | base 50.0 %",
    "Validation cross entropy | base 1.000 | training 1.000",
    "Training loss",
    "Learning rate, end of epoch | 0.0010",
  ]);
});

/** The heights of the vertices of the lines of a plot. */
function heights(svg: string): number[][] {
  return [...svg.matchAll(/aria-label="line"[^]*?<path [^>]*?d="([^"]*)"/g)]
    .map(([, d]) => [...d.matchAll(/[ML][\d.]+,([\d.]+)/g)].map(([, y]) => Number(y)));
}

Deno.test("99.5 and 99.9 % lie far apart, and no error at the bottom", { ignore }, async () => {
  const scored = [0.5, 0.995, 0.999, 1].map((top1, i): EpochMetrics => ({
    ...metrics(i + 1, 4),
    validation: { base: { top1, top5: 1, loss: 0.1 } },
  }));
  const svg = await drawCurves(scored, "", OPTIONS);
  const [[half, less, least, none]] = heights(svg);
  assert(half < less && less < least && least < none, `${[half, less, least, none]}`);
  assert(least - less > 30, `${less} ${least}`);
  // The axis ends at half of the least error, 0.1 %: equal steps for equal ratios.
  assertAlmostEquals((none - least) / (least - less), Math.log(2) / Math.log(5), 0.01);
  assertStringIncludes(headings(svg)[0], "Validation error, % (0 at the bottom) | base 0.00 %");
});

const ROWS = rowsOf();
const MACS = ROWS.map(({ method, which }) =>
  which === "base" ? 3.8e6 : method === "searched" ? 1.42e6 : 1.43e6
);

const COMPARISON: Comparison = {
  ...{ model: "resnet8", dataset: "generated", epochs: 3, adapter: "Test GPU" },
  ...{ runtime: "a runtime", test: true, seconds: 12 },
  search: {
    ...{ budgeted: "macs", budget: 0.5, divisors: [1, 2], epochs: 2, lr: 0.05 },
    temperature: [5, 0.5],
  },
  ...{ methods: METHOD_NAMES, pruneBy: "l2", base: { macs: 3.8e6, params: 2000 } },
  outcomes: ROWS.flatMap(({ method, which }, i) =>
    [0, 1].map((seed) => ({
      ...{ method, which, seed, params: 1000, macs: MACS[i], latency: 2, file: "" },
      top1: 0.95 + 0.001 * i + 0.01 * seed,
    }))
  ),
};

interface Circle {
  readonly cx: number;
  readonly cy: number;
}

function parse(svg: string) {
  return new DOMParser().parseFromString(svg, "text/html");
}

function circles(svg: string): Circle[] {
  return [...parse(svg).querySelectorAll('[aria-label="dot"] circle')].map((circle) => ({
    cx: Number(circle.getAttribute("cx")),
    cy: Number(circle.getAttribute("cy")),
  }));
}

/** Pixels of a tick of the x axis. */
function tick(svg: string, label: string): number {
  const found = [...parse(svg).querySelectorAll('[aria-label="x-axis tick label"] text')]
    .find((text) => text.textContent === label);
  return Number(found?.getAttribute("transform")?.match(/translate\(([\d.]+)/)?.[1]);
}

Deno.test("each method lies at its multiply-accumulates, however many have the same", {
  ignore,
}, async () => {
  const svg = await drawComparison(COMPARISON);
  const [zero, one] = [tick(svg, "0"), tick(svg, "1")];
  assert(one > zero, `${zero} ${one}`);
  const found = circles(svg).map(({ cx }) => (cx - zero) / (one - zero));
  assertEquals(found.length, ROWS.length);
  found.toSorted().forEach((macs, i) => {
    assertAlmostEquals(macs, MACS.map((m) => m / 1e6).toSorted()[i], 0.01);
  });
});

Deno.test("the picture of a comparison names methods, spread and images", { ignore }, async () => {
  const svg = await drawComparison(COMPARISON);
  for (const [i, { text }] of ROWS.entries()) assertStringIncludes(svg, `>${i + 1}  ${text}<`);
  assertStringIncludes(svg, "resnet8 on generated: 3 epochs, 2 seeds, 50.0 % of the multiply-");
  assertStringIncludes(svg, "test accuracy, %, mean and one standard deviation");
  assertStringIncludes(svg, "95.5 % ± 0.7");
  const first = { ...COMPARISON, outcomes: COMPARISON.outcomes.filter(({ seed }) => seed === 0) };
  const single = await drawComparison({ ...first, test: false });
  assert(!single.includes("±"));
  assertStringIncludes(single, ">validation accuracy, %<");
  assert(!single.includes("NaN"));
});

Deno.test("the label of the x axis is under its middle", { ignore }, async () => {
  const svg = await drawComparison(COMPARISON);
  const label = parse(svg).querySelector('[aria-label="x-axis label"]');
  const x = Number(label?.outerHTML.match(/<text transform="translate\(([\d.]+)/)?.[1]);
  assert(Math.abs(x - (48 + 430) / 2) < 2, label?.outerHTML);
});

Deno.test("labels of points that are close are at least a line apart, around them", () => {
  const near = [100, 101, 102, 300].map((y) => ({ x: 50, y }));
  const labels = spread([...near, { x: 400, y: 101 }]);
  assertEquals(labels.map(({ x, y }) => ({ x, y })), [...near, { x: 400, y: 101 }]);
  const placed = labels.slice(0, 4).map(({ labelY }) => labelY);
  for (let i = 1; i < 4; i++) assert(placed[i] - placed[i - 1] >= 13 - 1e-9, `${placed}`);
  // One that is alone stays beside its point.
  assertEquals(labels[4].labelY, 101);
});

Deno.test("pictures have a white ground and dark text, on whatever they are shown", {
  ignore,
}, async () => {
  const file = {
    ...{ model: "resnet14", trunk: "shared", maskFrom: 1, divisors: [1, 2] } as const,
    ...{ budgeted: "macs", budget: 0.5, found: 0.498, widths: { "layer1.0.conv1": 8 } } as const,
  };
  const all = [
    await drawCurves([metrics(1, 1)], "curves", OPTIONS),
    await drawComparison(COMPARISON),
    await drawWidths(file, { "layer1.0.conv1": 16 }),
  ];
  for (const svg of all) {
    assertEquals(svg.match(/<svg [^>]*>/)?.[0].includes('color="#1f2937"'), true);
    assertStringIncludes(svg, 'fill="white"/>');
  }
});

Deno.test("a confusion matrix has a cell for each pair that was seen, and names that fit", {
  ignore,
}, async () => {
  for (const classes of [2, 10, 100]) {
    const counts = new Uint32Array(classes * classes);
    for (let i = 0; i < classes; i++) counts[i * classes + i] = 7;
    counts[1] = 14;
    const names = Array.from({ length: classes }, (_, i) => `a < ${i}`);
    const svg = await drawConfusion({ classes, counts }, { title: "it", names });
    const images = 7 * classes + 14;
    assertStringIncludes(svg, `${7 * classes} of ${images} images right`);
    const [, cells] = svg.match(/<g aria-label="cell"[^>]*>([^]*?)<\/g>/) ?? [];
    assertEquals(cells.match(/<rect /g)?.length, classes + 1);
    // Of three images of the first class two are given the second.
    assertEquals(svg.includes(">14<"), classes <= 20);
    assertEquals(svg.includes("a &lt; 1<"), classes <= 60);
    assert(!svg.includes("NaN"));
  }
});
