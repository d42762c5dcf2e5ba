import { entriesOf } from "../../nn/which.ts";
import { decode, encode, many, one, type Schema } from "../../export/protobuf.ts";
import type { EpochMetrics } from "../../train/types.ts";

/** The part of TensorFlow's event.proto and summary.proto that scalars need. */
const SCHEMA: Schema = {
  Event: {
    wallTime: one("double", 1),
    step: one("int64", 2),
    fileVersion: one("string", 3),
    summary: one("Summary", 5),
  },
  Summary: { value: many("Value", 1) },
  Value: { tag: one("string", 1), simpleValue: one("float", 2) },
};

/** The first event of a file. */
export function versionEvent(wallTime: number): Uint8Array {
  return encode(SCHEMA, "Event", { wallTime, fileVersion: "brain.Event:2" });
}

/** The scalars of an epoch by tag: TensorBoard shows those with the same word before the slash together. */
export function scalarsOf(metrics: EpochMetrics): Readonly<Record<string, number>> {
  const { loss, crossEntropy, kl, lambda, lr, imagesPerSecond, waiting, seconds } = metrics;
  const { search, validation, training } = metrics;
  type Scalar = readonly [tag: string, value: number];
  const scores = entriesOf(validation).flatMap(([which, { top1, top5, loss }]): Scalar[] => [
    [`top1/${which}`, top1],
    [`top5/${which}`, top5],
    [`validation_loss/${which}`, loss],
  ]);
  const seen = entriesOf(training).map(([which, top1]): Scalar => [`training_top1/${which}`, top1]);
  const all: Readonly<Record<string, number>> = Object.fromEntries([
    ...scores,
    ...seen,
    ...Object.entries({
      "loss/total": loss,
      "loss/cross_entropy": crossEntropy,
      "loss/divergence": kl,
      "schedule/lambda": lambda,
      "schedule/lr": lr,
      "speed/images_per_second": imagesPerSecond,
      "speed/waiting": waiting,
      "speed/seconds": seconds,
    }),
    ...Object.entries(search ?? {}).map(([name, value]) => [`gates/${name}`, value]),
  ]);
  // Epochs of a search are counted from 1 as well.
  if (!search) return all;
  return Object.fromEntries(Object.entries(all).map(([tag, value]) => [`search_${tag}`, value]));
}

/** The event of an epoch, `wallTime` in seconds since 1970. */
export function epochEvent(metrics: EpochMetrics, wallTime: number): Uint8Array {
  const value = Object.entries(scalarsOf(metrics)).map(([tag, simpleValue]) => ({
    tag,
    simpleValue,
  }));
  return encode(SCHEMA, "Event", { wallTime, step: metrics.epoch, summary: { value } });
}

/** When an event was, and what it is of: a step and its first tag; nothing of other bytes. */
export function whenWas(
  bytes: Uint8Array,
): { readonly wallTime: number; readonly step: number; readonly search: boolean } | undefined {
  try {
    const { wallTime, step, summary } = decode(SCHEMA, "Event", bytes);
    if (typeof wallTime !== "number" || typeof step !== "number" || !summary) return undefined;
    return { wallTime, step, search: JSON.stringify(summary).includes('"search_') };
  } catch {
    return undefined;
  }
}
