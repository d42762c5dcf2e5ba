import type { CommandDescription } from "./command.ts";

/** `report`. */
export const REPORT = {
  help: "show a run as a page, with other runs beside it",
  positionals: ["RUN..."],
  examples: [
    ["report runs/photos", "report.html of a run, also of one that goes on or was stopped"],
    ["report runs/photos runs/other", "the same, with the networks and curves of another beside"],
  ],
  sections: [],
} as const satisfies CommandDescription;
