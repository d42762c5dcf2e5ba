import { isRecord } from "../../data/json.ts";
import { modelName } from "../../export/model_file_name.ts";
import { isWhich } from "../../nn/which.ts";
import type { EpochMetrics, Verification } from "../../train/types.ts";
import { namesIn } from "../run/run_images.ts";
import type { KeptReport } from "./kept_report.ts";
import { layerWidths } from "./layer_widths.ts";
import type { EarlierPicture, ReportNetwork, RunReport } from "./report_data.ts";
import { historyIn, jsonIn, keptIn } from "./run_files.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Bytes of a picture that is shown within the page at most. */
const MOST_BYTES = 500_000;

/** Pictures that commands have drawn of what the page cannot draw itself, by type. */
const EARLIER:
  readonly (readonly [name: RegExp, type: string, unless: keyof KeptReport | "widths"])[] = [
    [/^((base|small-[\w.-]+)-)?confusion\.svg$/, "image/svg+xml", "networks"],
    [/^((base|small-[\w.-]+)-)?mistakes\.png$/, "image/png", "mistakes"],
    [/^(small-[\w.-]+-)?widths\.svg$/, "image/svg+xml", "widths"],
  ];

function numberIn(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function verificationIn({ verify }: Fields): Verification | undefined {
  if (!isRecord(verify)) return undefined;
  const [maxDifference, maxError, top1Agreement, images] = [
    ...["maxDifference", "maxError", "top1Agreement", "images"],
  ].map((name) => numberIn(verify, name));
  if (maxDifference === undefined || top1Agreement === undefined || images === undefined) {
    return undefined;
  }
  return { maxDifference, maxError: maxError ?? NaN, top1Agreement, images };
}

/** A network as summary.json has it; before that, as it was measured last. */
async function networkOf(
  folder: string,
  name: string,
  { summary, last }: { readonly summary: Fields; readonly last?: EpochMetrics },
): Promise<ReportNetwork> {
  const own = summary[name];
  const found: Fields = isRecord(own) ? own : {};
  const measured = isWhich(name) ? last?.validation[name] : undefined;
  const bytes = await Deno.stat(`${folder}/${name}.safetensors`).then(({ size }) => size)
    .catch(() => undefined);
  return {
    name,
    ...measured,
    ...Object.fromEntries(
      ["top1", "top5", "loss", "params", "macs", "latency"].flatMap((field) => {
        const value = numberIn(found, field);
        return value === undefined ? [] : [[field, value] as const];
      }),
    ),
    bytes,
    verify: verificationIn(found),
  };
}

/** The base network first, then small ones by their numbers. */
function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].filter(isWhich)
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

async function earlierIn(
  folder: string,
  has: (what: keyof KeptReport | "widths") => boolean,
): Promise<EarlierPicture[]> {
  const found: EarlierPicture[] = [];
  for (
    const { name } of [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1)
  ) {
    const [, type] = EARLIER.find(([pattern, , unless]) => pattern.test(name) && !has(unless)) ??
      [];
    if (type === undefined) continue;
    try {
      const path = `${folder}/${name}`;
      if ((await Deno.stat(path)).size > MOST_BYTES) continue;
      const bytes = await Deno.readFile(path);
      found.push({ name, source: `data:${type};base64,${bytes.toBase64()}` });
    } catch { /* It is shown without. */ }
  }
  return found;
}

/** What the widths that a search found cost over the base network's, by small network. */
async function foundIn(folder: string): Promise<Record<string, number>> {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
  const found = files.map(async (file): Promise<[string, number][]> => {
    const name = file.match(/^(small(-[\w.-]+)?)-widths\.json$/)?.[1] ?? "small";
    const isOwn = file === "widths.json" || name !== "small";
    if (!isOwn || !isWhich(name)) return [];
    const part = numberIn(await jsonIn(folder, file) ?? {}, "found");
    return part === undefined ? [] : [[name, part]];
  });
  return Object.fromEntries((await Promise.all(found)).flat());
}

/** Whether a run was to find widths alone, and has found those for all budgets. */
function hasWidths(found: Readonly<Record<string, number>>, config: Fields): boolean {
  const { widthsOnly, budgetMacs, budgetParams, budgetLatency } = config;
  const budgets = [budgetMacs ?? budgetParams ?? budgetLatency].flat();
  return widthsOnly === true && Object.keys(found).length >= budgets.length;
}

/** What a run is, in words. */
function titleOf({ model, mode, command, dataset }: Fields): string {
  const words = [
    typeof model === "string" ? modelName(model) : undefined,
    command === "search" ? "search" : mode,
    dataset,
  ];
  return words.filter((word) => typeof word === "string").join(", ");
}

/** All that the folder of a run says of it. */
export async function readRun(
  folder: string,
  { summary, config }: { readonly summary?: Fields; readonly config: Fields },
): Promise<
  & Pick<
    RunReport,
    "kind" | "title" | "networks" | "history" | "summary" | "layers" | "found" | "kept" | "earlier"
  >
  & { readonly ended: boolean }
> {
  const history = await historyIn(folder);
  const last = history.at(-1);
  const names = inOrder([
    ...Object.keys(summary ?? {}),
    ...Object.keys(last?.validation ?? {}),
  ]);
  const networks = await Promise.all(
    names.map((name) => networkOf(folder, name, { summary: summary ?? {}, last })),
  );
  // Those of a run before are not of one that goes on.
  const layers = summary ? await layerWidths(folder, inOrder(namesIn(folder))) : [];
  const kept = await keptIn(folder);
  const earlier = await earlierIn(
    folder,
    (what) => what === "widths" ? layers.length > 0 : kept !== undefined,
  );
  const { adapter } = summary ?? {};
  const found = await foundIn(folder);
  return {
    ended: summary !== undefined || hasWidths(found, config),
    kind: "run",
    title: titleOf({ ...config, ...summary, command: config.command }),
    networks,
    history,
    ...summary
      ? {
        summary: {
          ...typeof adapter === "string" ? { adapter } : {},
          ...Object.fromEntries(
            ["seconds", "epochs", "finetuneEpochs"].map((name) => [name, numberIn(summary, name)]),
          ),
        },
      }
      : {},
    layers,
    found,
    kept,
    earlier,
  };
}
