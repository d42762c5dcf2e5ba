import { dirname } from "node:path";

type Variable = "ADJOIN_DEBUG" | "ADJOIN_WEBGPU" | "INIT_CWD" | "XDG_RUNTIME_DIR";

function granted(variable: Variable): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** An environment variable; nothing where it is not set, or may not be read. */
export function environment(variable: Variable): string | undefined {
  return granted(variable) ? Deno.env.get(variable) || undefined : undefined;
}

/**
 * Goes back to the folder that `deno task` was typed in, as it moves to that of deno.json, and paths
 * are meant from where they are typed.
 */
export function goWhereTyped(): void {
  const typed = environment("INIT_CWD");
  const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";
  // Elsewhere the variable is not about this process, but left by a task around it.
  if (typed && mayRead && Deno.cwd() === dirname(import.meta.dirname ?? "")) Deno.chdir(typed);
}

/**
 * Keeps Linux's drivers from complaining on stderr that there is no folder for the sockets of a
 * desktop, which are of no use here. To be called before the first adapter is asked for.
 */
export function quietDrivers(): void {
  if (Deno.build.os !== "linux" || !granted("XDG_RUNTIME_DIR")) return;
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
}
