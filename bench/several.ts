// Several small networks of one training against trainings of one each, with several seeds.
import { columns } from "../cli/text.ts";
import { entriesOf, type SmallName } from "../nn/which.ts";
import { UsageError } from "../train/errors.ts";
import {
  benchTrials,
  print,
  seedsOf,
  takeFlags,
  type Trained,
  trained,
  trainingOptions,
} from "./trials.ts";
import { gain, spread } from "./spread.ts";

const USAGE =
  `Usage: deno task bench several [--compression LIST] [--seeds N] [--seed N] [flags of train]

Trains several small networks in one run, then each in a run of its own, and prints both side by
side, with what a step takes.

  --compression  compressions with commas between. Default: 2,4,8
  --seeds        how many seeds. Default: 3
  --seed         the first of them. Default: 0

Example:
  deno task bench several --compression 2,8 --seeds 1 --epochs 4`;

/** What all trainings have, unless other flags are given. */
const DEFAULTS = "--model resnet20 --mask-from 1 --train-size 1024 --val-size 1000 " +
  "--batch-size 32 --image-size 16 --epochs 8";

/** The trainings of one seed. */
export interface Trials {
  /** That of all small networks. */
  readonly together: Trained;
  /** Those of one small network each, by its name among several. */
  readonly alone: ReadonlyMap<SmallName, Trained>;
}

/** Accuracies of all trainings side by side, and what steps take, the quickest of all seeds. */
export function severalTable(seeds: readonly Trials[]): string {
  const names = [...seeds[0].alone.keys()];
  const alone = (name: SmallName): Trained[] => seeds.flatMap(({ alone }) => alone.get(name) ?? []);
  const row = (text: string, one: readonly number[], own: readonly number[]): string[] => [
    text,
    spread(one),
    spread(own),
    gain(one, own),
  ];
  const of = (name: "base" | SmallName): number[] =>
    seeds.map(({ together }) => together.top1[name] ?? NaN);
  const lines = columns([
    ["network", "of one run", "of a run of its own", "one run, against its own"],
    ...names.map((name) =>
      row(`base of ${name}`, of("base"), alone(name).map(({ top1 }) => top1.base ?? NaN))
    ),
    ...names.map((name) => row(name, of(name), alone(name).map(({ top1 }) => top1.small ?? NaN))),
  ]);
  const quickest = (runs: readonly Trained[]): number =>
    Math.min(...runs.map(({ stepMs }) => stepMs));
  const one = quickest(seeds.map(({ together }) => together));
  const own = names.map((name) => quickest(alone(name)));
  const sum = own.reduce((sum, ms) => sum + ms, 0);
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  return `${lines.join("\n")}

a step of all together ${ms(one)}; of each by itself ${own.map(ms).join(", ")}, in all ${ms(sum)}
seeds: ${seeds.length}`;
}

function toldOf(what: string, { top1, seconds }: Trained): string {
  const found = entriesOf(top1).map(([which, top1]) => `${which} ${spread([top1])}`);
  return `${what}: ${found.join(", ")}, ${seconds.toFixed(0)} s`;
}

if (import.meta.main) {
  await benchTrials(USAGE, async (gpu, args) => {
    const flags = takeFlags(args, ["seed", "seeds", "compression"]);
    const compression = flags.given("compression").at(-1) ?? "2,4,8";
    const each = compression.split(",");
    if (each.length < 2) {
      throw new UsageError(
        `--compression is several numbers with commas between, as 2,4,8, found ${compression}`,
      );
    }
    const all: Trials[] = [];
    for (const seed of seedsOf(flags)) {
      const train = async (compression: string): Promise<Trained> => {
        const words = [...DEFAULTS.split(" "), ...flags.rest, "--seed", `${seed}`];
        const options = trainingOptions([...words, "--compression", compression]);
        const found = await trained(gpu, options);
        print(toldOf(`seed ${seed}, compression ${compression}`, found));
        return found;
      };
      const together = await train(compression);
      const alone = new Map<SmallName, Trained>();
      for (const alpha of each) alone.set(`small-${Number(alpha)}`, await train(alpha));
      all.push({ together, alone });
      print(`\n${severalTable(all)}\n`);
    }
  });
}
