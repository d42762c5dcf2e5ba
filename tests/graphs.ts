// Graphs at random, adjoined at random: what has to hold of each.
import { Random } from "../data/random.ts";
import type { Gpu } from "../kernels/gpu.ts";
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

/** What each distance may be, and may be at most where the network amplifies rounding. */
const LIMITS = { extracted: [1e-4, 1e-2], logits: [1e-4, 1e-2], slope: [1e-3, 1e-1] } as const;

/** Kernels add up many rounded terms, where float64 is moved once a value. */
const ROUNDINGS = 8;

const WHAT = {
  extracted: "extracted differs by",
  logits: "logits differ from float64 by",
  slope: "gradients differ from float64 by",
} as const;

/** What is wrong with a pair that is measured with numbers of a seed; nothing where all holds. */
export async function faultIn(gpu: Gpu, pair: Adjoined, seed: number): Promise<string | undefined> {
  const { rounding, ...found } = await distancesOf(gpu, pair, seed);
  const names = (["extracted", "logits", "slope"] as const)
    .filter((name) => !(found[name] < LIMITS[name][0]));
  if (names.length === 0) return;
  const moved = rounding();
  const wrong = names.find((name) =>
    !(found[name] < Math.min(LIMITS[name][1], ROUNDINGS * moved[name]))
  );
  return wrong && `${WHAT[wrong]} ${found[wrong]}, where rounding comes to ${moved[wrong]}`;
}

/** What is wrong with pair number `i`; nothing where all holds. */
export async function faultOf(gpu: Gpu, i: number): Promise<string | undefined> {
  const made = pairOf(i);
  if ("refused" in made) return;
  const fault = await faultIn(gpu, made.pair, i);
  return fault && `${made.how}: ${fault}`;
}
