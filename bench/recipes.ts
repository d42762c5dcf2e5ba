// What options of the loss do for the small network: one at a time against the defaults, then some
// together, all for as many epochs, with several seeds.
//   deno task bench recipes [--data-dir DIR] [--seeds N] [--epochs N] [--row "FLAGS"]... ...
import { parseArgs } from "@std/cli/parse-args";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { readInputs } from "../cli/run/open_run.ts";
import { openRunPictures } from "../cli/run/run_pictures.ts";
import { columns } from "../cli/text.ts";
import { Gpu } from "../kernels/gpu.ts";
import { jobOn } from "../train/job.ts";
import { runJob } from "../train/train.ts";
import type { Summary, TrainOptions } from "../train/types.ts";
import { SILENT } from "../train/silent.ts";
import { spread } from "./spread.ts";

/** Flags of each row of the table, where none are given. The first are those of all. */
const ROWS: readonly string[] = [
  "",
  "--kl-schedule ramp",
  "--kl-schedule constant",
  "--kl-weight 2",
  "--kl-temperature 2",
  "--kl-temperature 4",
  "--small-ce 0.5",
  "--small-ce 1",
  "--kl-loss dist",
  "--kl-loss dkd",
  "--detach",
  "--kl-schedule constant --small-ce 0.5",
  "--kl-schedule constant --small-ce 1",
  "--kl-schedule constant --kl-temperature 4 --small-ce 1",
  "--kl-schedule constant --kl-loss dist --small-ce 1",
  "--kl-schedule constant --detach --small-ce 1",
];

/** Accuracies of one row, a seed each. */
interface Row {
  readonly base: number[];
  readonly small: number[];
}

/** The mean of the differences from the first row, seed by seed, and its standard error. */
function gain(own: readonly number[], first: readonly number[]): string {
  const differences = own.map((value, i) => value - first[i]);
  const n = differences.length;
  const mean = differences.reduce((sum, v) => sum + v, 0) / n;
  const variance = differences.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  const points = (v: number) => (100 * v).toFixed(1);
  const sign = mean < 0 ? "" : "+";
  return n > 1
    ? `${sign}${points(mean)} ± ${points(Math.sqrt(variance / n))}`
    : sign + points(mean);
}

function table(rows: ReadonlyMap<string, Row>): string {
  const [first] = rows.values();
  const lines = columns([
    ["flags", "base", "small", "small, against the first", "seeds"],
    ...[...rows].map(([flags, { base, small }]) => [
      flags || "the defaults",
      spread(base),
      spread(small),
      small === first.small ? "" : gain(small, first.small),
      `${small.length}`,
    ]),
  ]);
  return lines.join("\n");
}

const COMMON = [
  "data-dir",
  "model",
  "train-size",
  "val-size",
  "batch-size",
  "image-size",
  "compression",
  "epochs",
  "lr",
  "opt",
  "augment",
  "mask-from",
] as const;

const print = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
};

async function trained(gpu: Gpu, options: TrainOptions): Promise<Summary> {
  using pictures = await openRunPictures(options, () => {});
  const inputs = await readInputs(options, pictures.open);
  const { summary } = await runJob(gpu, jobOn(inputs, options), SILENT);
  return summary;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, {
    string: [...COMMON, "seeds", "seed", "row"],
    collect: ["row"],
    default: {
      ...{ model: "resnet20", "train-size": "1024", "val-size": "1000", "batch-size": "32" },
      ...{ "image-size": "16", compression: "4", epochs: "8", seeds: "3", seed: "0" },
    },
  });
  const common = COMMON.flatMap((name) =>
    flags[name] === undefined ? [] : [`--${name}`, `${flags[name]}`]
  );
  const data = flags["data-dir"] ? ["--dataset", "folder"] : [];
  const given = flags.row.map(String);
  const gpu = await Gpu.open();
  print(`${gpu.adapter}\n${Deno.args.join(" ")}`);
  const rows = new Map<string, Row>();
  for (let seed = Number(flags.seed); seed < Number(flags.seed) + Number(flags.seeds); seed++) {
    for (const flagsOfRow of given.length ? given : ROWS) {
      const words = flagsOfRow.split(" ").filter((word) => word);
      // Of flags that are given twice the last one counts.
      const line = [...common, ...data, "--seed", `${seed}`, ...words];
      const began = performance.now();
      const { base, small } = await trained(
        gpu,
        trainRequest(readArguments("train", line)).options,
      );
      const row = rows.get(flagsOfRow) ?? { base: [], small: [] };
      row.base.push(base?.top1 ?? NaN);
      row.small.push(small?.top1 ?? NaN);
      rows.set(flagsOfRow, row);
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      print(
        `seed ${seed}: base ${spread([row.base.at(-1) ?? NaN])}, small ${
          spread([row.small.at(-1) ?? NaN])
        }, ${seconds} s: ${flagsOfRow || "the defaults"}`,
      );
    }
    print(`\n${table(rows)}\n`);
  }
  gpu.destroy();
}
