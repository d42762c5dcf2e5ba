// The networks of runs and comparisons that pareto.svg has, out of what these have saved.
import { basename, resolve } from "node:path";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { isRecord, parseJson } from "../../data/json.ts";
import { printable } from "../../data/printable.ts";
import { isWhich } from "../../nn/which.ts";
import type { ParetoPoint } from "../report/pareto_points.ts";
import { COLOURS, networkColour } from "../report/picture_document.ts";
import { readText } from "./read_file.ts";

/** A network with its size, without a place in a picture. */
type Network = Omit<ParetoPoint, "colour" | "run">;

/** The bytes of a file of a run, where it is there. */
export type SizeOf = (name: string) => Promise<number | undefined>;

/** Sizes of the files below a folder. */
export function sizesIn(folder: string): SizeOf {
  return async (name) => (await Deno.stat(`${folder}/${name}`).catch(() => undefined))?.size;
}

/** A network as files have it; nothing where its numbers are none. */
async function networkOf(
  name: string,
  { top1, macs, params, latency }: Readonly<Record<string, unknown>>,
  size: Promise<number | undefined>,
): Promise<Network[]> {
  const numbers = [top1, macs, params];
  const fits = (value: unknown): value is number =>
    typeof value === "number" && Number.isFinite(value) && value >= 0;
  if (!numbers.every(fits)) return [];
  const bytes = await size;
  return [{
    ...{ name, top1: numbers[0], macs: numbers[1], params: numbers[2] },
    ...bytes === undefined ? {} : { bytes },
    ...fits(latency) ? { latency } : {},
  }];
}

/** The networks of a run: `base`, `small` and so on in its summary.json. */
async function ofRun(
  summary: Readonly<Record<string, unknown>>,
  sizeOf: SizeOf,
): Promise<Network[]> {
  const found = await Promise.all(
    Object.entries(summary).map(async ([name, value]) =>
      isWhich(name) && isRecord(value)
        ? await networkOf(name, value, sizeOf(`${name}.safetensors`))
        : []
    ),
  );
  return found.flat();
}

/** The rows of a comparison, their means over the seeds; the file is that of the first seed. */
async function ofComparison(
  { summary, outcomes }: Readonly<Record<string, unknown>>,
  sizeOf: SizeOf,
): Promise<Network[]> {
  const [rows, files] = [summary, outcomes].map((list) =>
    Array.isArray(list) ? list.filter((row) => isRecord(row)) : []
  );
  const found = await Promise.all(rows.map(async (row) => {
    const { method, which, text = method, mean } = row;
    const of = files.find((one) => one.method === method && one.which === which);
    const size = typeof of?.file === "string" ? sizeOf(of.file) : Promise.resolve(undefined);
    return await networkOf(String(text), { ...row, top1: mean }, size);
  }));
  return found.flat();
}

/** The networks of what a run or a comparison came to, in their own colours. */
export async function ownPoints(came: object, sizeOf: SizeOf): Promise<ParetoPoint[]> {
  const record: Readonly<Record<string, unknown>> = { ...came };
  if ("outcomes" in came) {
    const found = await ofComparison(record, sizeOf);
    return found.map((network) => ({
      ...network,
      colour: network.name.startsWith("base") ? COLOURS.base : COLOURS.small,
    }));
  }
  const found = await ofRun(record, sizeOf);
  const small = found.map(({ name }) => name).filter(isWhich).filter((name) => name !== "base");
  return found.map((network) => ({
    ...network,
    colour: isWhich(network.name) ? networkColour(network.name, small) : COLOURS.other,
  }));
}

/** What the folder of a run or of a comparison came to. */
async function cameTo(folder: string): Promise<Readonly<Record<string, unknown>>> {
  let cause: unknown;
  for (const name of ["summary.json", "compare.json"]) {
    try {
      const found = parseJson(await readText(`${folder}/${name}`));
      if (isRecord(found)) return found;
    } catch (error) {
      cause ??= error;
    }
  }
  throw new DataError(
    `Cannot draw ${printable(folder, 300)} beside: wanted the folder of a run or of a comparison ` +
      `that has ended, found ${foundInstead(`${folder}/summary.json`, cause)}; leave it out of ` +
      `--beside`,
    { cause },
  );
}

/** The networks of other runs. Raises a {@link DataError} for a folder that has none. */
export async function pointsBeside(folders: readonly string[]): Promise<ParetoPoint[]> {
  const found = await Promise.all(folders.map(async (folder) => {
    const points = await ownPoints(await cameTo(folder), sizesIn(folder));
    if (points.length === 0) {
      throw new DataError(
        `Cannot draw ${printable(folder, 300)} beside: wanted a run with networks, found none; ` +
          `leave it out of --beside`,
      );
    }
    const run = basename(resolve(folder));
    return points.map((point) => ({ ...point, run, colour: COLOURS.other }));
  }));
  return found.flat();
}
