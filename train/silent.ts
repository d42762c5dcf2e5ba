import type { Reporter } from "./types.ts";

/** Hears nothing of a run. */
export const SILENT: Reporter = {
  start: () => {},
  progress: () => {},
  work: () => {},
  epoch: () => {},
  note: () => {},
};
