import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { drawPareto } from "../cli/report/pareto_picture.ts";
import { front, MEASURES, measuresOf, type ParetoPoint } from "../cli/report/pareto_points.ts";
import { ownPoints, pointsBeside } from "../cli/run/pareto_points_of.ts";
import { DataError } from "../data/error.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const [MACS, PARAMS, BYTES, LATENCY] = MEASURES;

function point(name: string, top1: number, macs: number, more = {}): ParetoPoint {
  return { name, top1, macs, params: macs / 100, colour: "#123456", ...more };
}

const names = (points: readonly ParetoPoint[]): string[] => points.map(({ name }) => name);

Deno.test("the front has the networks that no other beats, each once", () => {
  const points = [
    point("base", 0.9, 40),
    point("dear", 0.8, 41),
    point("small", 0.7, 10),
    point("as dear", 0.6, 10),
    point("small again", 0.7, 10),
    point("tiny", 0.5, 5),
  ];
  assertEquals(names(front(points, MACS)), ["tiny", "small", "base"]);
  assertEquals(front(points, LATENCY), []);
});

Deno.test("networks are drawn by what at least two of them have", () => {
  const timed = point("a", 0.9, 40, { bytes: 100, latency: 2 });
  assertEquals(measuresOf([timed, point("b", 0.8, 20)]), [MACS, PARAMS]);
  assertEquals(measuresOf([timed, point("b", 0.8, 20, { latency: 1 })]), [MACS, PARAMS, LATENCY]);
  assertEquals(BYTES.words(1500), "1.50 kB");
});

/** Texts of a picture. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
}

Deno.test("pareto.svg has a panel for each measure, and all networks in each and in a table", async () => {
  const small = [2, 4, 8, 100].map((by) => point(`small-${by}`, 0.7 - by / 1000, 4e7 / by));
  const other = point("base", 0.72, 8e7, { run: "wide & old" });
  const svg = await drawPareto([point("base", 0.75, 4e7), ...small, other], {
    title: "resnet20, adjoined",
    test: true,
  });
  const found = texts(svg);
  for (const text of ["Test accuracy, %", "small-100", "base, wide &amp; old", "40.00 M"]) {
    assert(found.includes(text), text);
  }
  assertEquals(svg.match(/<svg/g)?.length, 3);
  // A number beside each point, and one in the table.
  for (const number of ["1", "5", "6"]) {
    assertEquals(found.filter((text) => text === number).length, 3, number);
  }
  // Two decades make the axis logarithmic.
  assert(found.includes("100 M") && !found.includes("0"), found.join());
  assert(!/NaN|undefined|Infinity/.test(svg));
});

Deno.test("networks that tell nothing, or all alike, are drawn", async () => {
  for (const top1 of [0, 1]) {
    const points = [point("base", top1, 4e7), point("small", top1, 4e7)];
    const svg = await drawPareto(points, { title: "a", test: false });
    assert(!/NaN|undefined|Infinity/.test(svg));
  }
});

const network = (top1: number, macs: number) => ({ top1, macs, params: 10, top5: 1, loss: 0 });
const SUMMARY = {
  model: "resnet8",
  seconds: 3,
  base: network(0.8, 400),
  "small-2": network(0.7, 200),
  "small-4": { ...network(0.6, 100), latency: 0.5 },
};

Deno.test("the networks of a run are those of its summary, whatever they are called", async () => {
  const sizes = new Map([["small-4.safetensors", 77]]);
  const found = await ownPoints(SUMMARY, (name) => Promise.resolve(sizes.get(name)));
  assertEquals(names(found), ["base", "small-2", "small-4"]);
  const { colour: _, ...last } = found[2];
  const wanted = { name: "small-4", top1: 0.6, macs: 100, params: 10, bytes: 77, latency: 0.5 };
  assertEquals(last, wanted);
  assertEquals(new Set(found.map(({ colour }) => colour)).size, 3);
});

Deno.test(
  "the networks of other runs and comparisons are read from their folders",
  { ignore: lacks("read", "write") },
  () =>
    withFolder(async (dir) => {
      const write = async (name: string, value: unknown): Promise<void> => {
        await Deno.mkdir(`${dir}/${name.split("/")[0]}`, { recursive: true });
        await Deno.writeTextFile(`${dir}/${name}`, JSON.stringify(value));
      };
      await write("run/summary.json", SUMMARY);
      await write("run/base.safetensors", "");
      await write("all/compare.json", {
        outcomes: [{ method: "adjoined", which: "small", file: "adjoined-0.json" }],
        summary: [{
          ...{ method: "adjoined", which: "small", text: "small, adjoined" },
          ...{ mean: 0.75, macs: 50, params: 5, latency: 0.25 },
        }],
      });
      await write("all/adjoined-0.json", "12345");
      const found = await pointsBeside([`${dir}/run/`, `${dir}/all`]);
      assertEquals(found.map(({ run, name }) => `${run}: ${name}`), [
        "run: base",
        "run: small-2",
        "run: small-4",
        "all: small, adjoined",
      ]);
      assertEquals(found.map(({ bytes }) => bytes), [2, undefined, undefined, 7]);
      assertEquals([found[3].top1, found[3].latency], [0.75, 0.25]);
      const refused = async (name: string, text: string): Promise<void> => {
        const { message } = await assertRejects(() => pointsBeside([`${dir}/${name}`]), DataError);
        assertStringIncludes(message, `Cannot draw ${dir}/${name} beside: `);
        assertStringIncludes(message, text);
      };
      await refused("none", "found no file");
      await write("empty/summary.json", { base: { top1: "high" } });
      await refused("empty", "wanted a run with networks, found none; leave it out of --beside");
      await write("broken/summary.json", {});
      await Deno.writeTextFile(`${dir}/broken/summary.json`, "{");
      await refused("broken", "summary.json, which cannot be read: ");
    }),
);
