import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { unusable } from "../option_value.ts";
import { print } from "../print.ts";
import { pairOf, summarize, type SummaryOptions, summaryTable } from "../summary.ts";
import { summaryOptions } from "../summary_file.ts";
import type { SummaryLatency } from "../summary_latency.ts";

/** What the layers of a summary take. */
async function latencyOf(options: SummaryOptions): Promise<SummaryLatency> {
  const { summaryLatency } = await import("../summary_latency.ts");
  const { imageSize } = options;
  return await summaryLatency(pairOf(options), { height: imageSize, width: imageSize });
}

/** Counts the parameters and the multiply-accumulates of layers. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, given } = readArguments("summary", args);
  if (values.json && given.has("trunk")) {
    throw unusable("--trunk has no effect beside --json; leave one of them out");
  }
  const options = await summaryOptions({ values, given });
  const latency = values.latency ? await latencyOf(options) : undefined;
  print(
    values.json
      ? JSON.stringify({ ...summarize(options), latency }, null, 2) + "\n"
      : summaryTable(options),
  );
  if (!values.json && latency) {
    const { latencyText } = await import("../summary_latency.ts");
    print(`\n${latencyText(latency)}`);
  }
  return EXIT.ok;
}
