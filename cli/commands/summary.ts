import type { SmallName } from "../../nn/which.ts";
import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { unusable } from "../option_value.ts";
import { print } from "../print.ts";
import { pairsOf, summarize, type SummaryOptions, summaryTable } from "../summary.ts";
import { summaryOptions } from "../summary_file.ts";
import type { SummaryLatency } from "../summary_latency.ts";

/** What the layers of a summary take, by small network. */
async function latenciesOf(
  options: SummaryOptions,
): Promise<readonly (readonly [SmallName, SummaryLatency])[]> {
  const { LayerClock, summaryLatency } = await import("../summary_latency.ts");
  const { imageSize } = options;
  const image = { height: imageSize, width: imageSize };
  const clock = new LayerClock();
  const found: (readonly [SmallName, SummaryLatency])[] = [];
  for (const pair of pairsOf(options)) {
    found.push([pair.which, await summaryLatency(pair, image, (layers) => clock.time(layers))]);
  }
  return found;
}

/** Counts the parameters and the multiply-accumulates of layers. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, given } = readArguments("summary", args);
  if (values.json && given.has("trunk")) {
    throw unusable("--trunk has no effect beside --json; leave one of them out");
  }
  const options = await summaryOptions({ values, given });
  const latencies = values.latency ? await latenciesOf(options) : [];
  if (values.json) {
    const [[which, only] = []] = latencies;
    const latency = which === "small" ? only : Object.fromEntries(latencies);
    const json = { ...summarize(options), ...which === undefined ? {} : { latency } };
    print(JSON.stringify(json, null, 2) + "\n");
    return EXIT.ok;
  }
  print(summaryTable(options));
  if (latencies.length) {
    const { latencyText } = await import("../summary_latency.ts");
    for (const [which, latency] of latencies) print(`\n${latencyText(latency, which)}`);
  }
  return EXIT.ok;
}
