import type { CommandDescription } from "./command.ts";

/** `serve`. */
export const SERVE = {
  help: "show a run in a browser on this machine, live while it trains",
  positionals: ["RUN"],
  examples: [
    ["serve runs/resnet8-adjoined-generated-0", "the page of a run; Ctrl+C ends"],
    ["serve runs/resnet8-adjoined-generated-0 --port 9000", "the same at http://127.0.0.1:9000/"],
  ],
  sections: [
    {
      title: "server",
      commands: ["serve"],
      options: [
        {
          name: "port",
          kind: "integer",
          min: 1,
          max: 65535,
          otherwise: "8417, or one that is free",
          help: "port of 127.0.0.1",
        },
      ],
    },
  ],
} as const satisfies CommandDescription;
