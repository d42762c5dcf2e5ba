// Graphs at random, adjoined at random: what has to hold of each.
import { Random } from "../data/random.ts";
import { range } from "../kernels/wgsl/blocked.ts";
import { adjoin, type Adjoined, maskRule, type Widths } from "../nn/compress/adjoin.ts";
import { channelClasses, channelGroups, filtersOf } from "../nn/compress/channel_classes.ts";
import type { Network } from "../nn/network.ts";
import { distancesOf } from "./graph_check.ts";
import { PIECE_NAMES, randomGraph } from "./random_graph.ts";

/** The first stage that is masked, and how. */
type How = "compressed" | "chosen together" | "chosen apart";

/** Some of `count` indices, in order; at least one. */
function some(random: Random, count: number): number[] {
  const taken = range(count).filter(() => random.uniform() < 0.6);
  return taken.length ? taken : [random.integer(count)];
}

/** Filters at random: of channels that go together all or none, or of each convolution its own. */
function widthsAt(random: Random, net: Network, maskFrom: number, how: How): Widths | undefined {
  if (how === "compressed") return;
  const classes = channelClasses(net, maskRule(net, maskFrom));
  if (how === "chosen together") {
    const kept = new Set(
      channelGroups(net, classes).flatMap((group) =>
        some(random, group.classes.length).map((i) => group.classes[i])
      ),
    );
    return filtersOf(net, classes, (found) => kept.has(found));
  }
  return Object.fromEntries(
    net.layers.flatMap((layer) =>
      layer.kind === "conv2d" && classes.masked.includes(layer.name)
        ? [[layer.name, random.uniform() < 0.3 ? 2 : some(random, layer.out)]]
        : []
    ),
  );
}

/** The reasons for which a pair may be refused. */
const REASONS = [
  "is left without channels, as",
  "leaves no channel of",
  "no convolution is masked",
];

/** Pair number `i`, or why there is none. Raises errors that are no refusals. */
export function pairOf(i: number): { pair: Adjoined; how: How } | { refused: string } {
  const random = new Random(i, "graphs");
  const net = randomGraph(random, PIECE_NAMES[i % PIECE_NAMES.length]);
  const how = (["compressed", "chosen together", "chosen apart"] as const)[random.integer(3)];
  const maskFrom = 1 + random.integer(2);
  const trunk = random.uniform() < 0.5 ? "shared" : "separate";
  const compression = how === "compressed" ? [2, 3, 4][random.integer(3)] : 1;
  try {
    const widths = widthsAt(random, net, maskFrom, how);
    return { pair: adjoin(net, { compression, maskFrom, trunk, widths }), how };
  } catch (error) {
    const refused = error instanceof RangeError ? error.message : "";
    if (REASONS.some((reason) => refused.includes(reason))) return { refused };
    throw error;
  }
}

/** What is wrong with pair number `i`; nothing where all holds. */
export async function faultOf(i: number): Promise<string | undefined> {
  const made = pairOf(i);
  if ("refused" in made) return;
  const { extracted, logits, slope } = await distancesOf(made.pair, i);
  if (!(extracted < 1e-4)) return `${made.how}: extracted differs by ${extracted}`;
  if (!(logits < 1e-4)) return `${made.how}: logits differ from float64 by ${logits}`;
  if (!(slope < 1e-3)) return `${made.how}: gradients differ from float64 by ${slope}`;
}
