import { fileURLToPath } from "node:url";
import tasks from "./tasks.json" with { type: "json" };
import root from "../deno.json" with { type: "json" };

/** Tasks of `bench`, and those beside it. */
type Task = keyof typeof tasks.tasks | keyof typeof root.tasks;

/** A folder that tasks name from their own. */
const DAWN = "cli/webgpu/package/node_modules";

/** A variable of the environment, where there is one that may be read. */
function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/**
 * The flags that a task gives Deno, permissions and its lock among them, with the environment's
 * variables filled in as the shell of tasks does.
 */
export function grantsOf(task: Task): string[] {
  const all: Readonly<Record<string, { readonly command: string }>> = {
    ...root.tasks,
    ...tasks.tasks,
  };
  const [beforeScript] = all[task].command.split(/\S+\.ts/);
  const filled = beforeScript.replace(/\$(\w+)/g, (_, name) => variable(name) ?? "")
    .replaceAll(DAWN, fileURLToPath(new URL(`../${DAWN}`, import.meta.url)));
  return [...filled.matchAll(/--[\w-]+(?:="[^"]*"|=\S+)?/g)]
    .map(([flag]) => flag.replaceAll('"', ""));
}
