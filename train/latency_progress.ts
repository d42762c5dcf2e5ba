import type { Reporter } from "./types.ts";

/** Tells a reporter how many of `total` runs on a single image have been timed. */
export function latencyProgress(
  reporter: Pick<Reporter, "work">,
  total: number,
): (done: number) => void {
  return (done) => reporter.work({ what: "timing single images", done, total, unit: "runs" });
}
