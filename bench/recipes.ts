// What options of the loss do for the small network: one at a time against the defaults, then some
// together, all for as many epochs, with several seeds.
import { columns } from "../cli/text.ts";
import { type ByNetwork, entriesOf, isSmallName, type Which } from "../nn/which.ts";
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
  `Usage: deno task bench recipes [--row "FLAGS"]... [--seeds N] [--seed N] [flags of train]

Trains once for each row and seed, and prints the accuracies of all networks, and what each row does
for the small one against the first. Without rows, each option of the loss by itself, then some
together. Flags of train are those of all rows.

  --row    flags of a row, in quotes; "" is the defaults
  --seeds  how many seeds. Default: 3
  --seed   the first of them. Default: 0

Examples:
  deno task bench recipes --row "" --row "--small-ce 1" --seeds 2
  deno task bench recipes --dataset folder --data-dir photos --image-size 64 --epochs 4`;

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

/** What all rows have, unless other flags are given. */
const DEFAULTS = "--model resnet20 --train-size 1024 --val-size 1000 --batch-size 32 " +
  "--image-size 16 --compression 4 --epochs 8";

/** Accuracies of the networks of one row, a seed each. */
export type Row = Readonly<ByNetwork<readonly number[]>>;

/** A row with those of one more seed. */
export function withSeed(row: Row, { top1 }: Pick<Trained, "top1">): Row {
  return Object.fromEntries(
    entriesOf(top1).map(([which, found]) => [which, [...row[which] ?? [], found]]),
  );
}

/** The table of rows by their flags: each network, and each small one against the first row's. */
export function recipesTable(rows: ReadonlyMap<string, Row>): string {
  const [first = {}] = rows.values();
  const all = [...rows.values()].flatMap((row) => entriesOf(row).map(([which]) => which));
  const networks = [...new Set(all)];
  // Of networks that the first row lacks, there is nothing to say against it.
  const small = networks.filter((which) => isSmallName(which) && first[which]);
  const against = (row: Row, which: Which): string => {
    const [own, other] = [row[which], first[which]];
    return own && other && own !== other ? gain(own, other) : "";
  };
  const lines = columns([
    ["flags", ...networks, ...small.map((which) => `${which}, against the first`), "seeds"],
    ...[...rows].map(([flags, row]) => [
      flags || "the defaults",
      ...networks.map((which) => row[which] ? spread(row[which]) : ""),
      ...small.map((which) => against(row, which)),
      `${Math.max(...Object.values(row).map((found) => found.length))}`,
    ]),
  ]);
  return lines.join("\n");
}

if (import.meta.main) {
  await benchTrials(USAGE, async (gpu, args) => {
    const flags = takeFlags(args, ["seed", "seeds", "row"]);
    const given = flags.given("row");
    const rows = new Map<string, Row>();
    for (const seed of seedsOf(flags)) {
      for (const row of given.length ? given : ROWS) {
        const words = [...DEFAULTS.split(" "), ...flags.rest, "--seed", `${seed}`];
        const own = row.split(" ").filter((word) => word);
        const found = await trained(gpu, trainingOptions([...words, ...own]));
        rows.set(row, withSeed(rows.get(row) ?? {}, found));
        const top1 = entriesOf(found.top1).map(([which, top1]) => `${which} ${spread([top1])}`);
        const seconds = found.seconds.toFixed(0);
        print(`seed ${seed}: ${top1.join(", ")}, ${seconds} s: ${row || "the defaults"}`);
      }
      print(`\n${recipesTable(rows)}\n`);
    }
  });
}
