import type { CommandDescription } from "./command.ts";

/** `doctor`. */
export const DOCTOR = {
  help: "look at the GPU and all that runs need, and say what to do",
  positionals: [],
  examples: [
    ["doctor", "adapter, self-test, speed, disk, caches, versions, permissions"],
    ["doctor --json", "the same for programs"],
  ],
  sections: [
    {
      title: "output",
      commands: ["doctor"],
      options: [
        {
          name: "quiet",
          kind: "boolean",
          beside: ["json"],
          help: "print only problems and warnings",
        },
        {
          name: "json",
          kind: "boolean",
          help: "print what was found as JSON instead of the text",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
