import { median } from "../data/median.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { isWhich } from "../nn/which.ts";
import { LatencyPair, type Measuring, typical } from "./latency_pair.ts";
import type { TrainResult } from "./train.ts";

/** The base network and the small ones of a result, out of the files that it saves. */
function savedIn({ files }: Pick<TrainResult, "files">) {
  return [...files].flatMap(([name, bytes]) => {
    const which = name.replace(/\.safetensors$/, "");
    if (which === name || !isWhich(which)) return [];
    return [{ which, network: parseCheckpoint(bytes, name).network }];
  });
}

/** A result with the latencies of its networks in its summary, small ones measured beside the base. */
export async function withLatencies<Result extends Pick<TrainResult, "summary" | "files">>(
  result: Result,
  measuring: Measuring,
): Promise<Result> {
  const saved = savedIn(result);
  const base = saved.find(({ which }) => which === "base");
  if (!base) return result;
  const bench = await LatencyPair.open(base.network, measuring);
  const found = [];
  for (const { which, network } of saved) {
    if (which !== "base") found.push({ which, ...typical(await bench.measure(network)) });
  }
  const whole = median(found.map((one) => one.base));
  const latencies = [
    ["base", whole] as const,
    // The machine may have slowed down in between: what was measured are shares.
    ...found.map(({ which, base, small }) => [which, whole * small / base] as const),
  ];
  const { summary } = result;
  const networks = latencies.flatMap(([which, latency]) => {
    const network = summary[which];
    return network ? [[which, { ...network, latency }]] : [];
  });
  return { ...result, summary: { ...summary, ...Object.fromEntries(networks) } };
}
