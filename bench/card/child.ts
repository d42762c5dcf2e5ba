import { printable } from "../../data/printable.ts";
import { grantsOf } from "../grants.ts";

/** What came of a command. */
export interface Ended {
  /** What it printed. */
  readonly out: string;
  /** The same with what drivers and errors said, last. */
  readonly text: string;
  /** Why it did not come to its end; nothing where it did. */
  readonly failure?: string;
}

/** Milliseconds that a process has to end in before it is ended. */
const GRACE = 3000;

/** What paths of permissions are relative to. */
const ROOT = new URL("../../", import.meta.url);

/**
 * Runs what `worker.ts` names in a process of its own, with what its task grants and `more`; ends it
 * after `limit` milliseconds.
 */
export async function runWorker(
  what: "step" | "train",
  words: readonly string[],
  { limit, more = [], env = {} }: {
    readonly limit: number;
    readonly more?: readonly string[];
    readonly env?: Record<string, string>;
  },
): Promise<Ended> {
  if (limit <= 0) return { out: "", text: "", failure: "no time left" };
  const grants = [...grantsOf(what), ...more];
  const child = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", ...grants, "bench/card/worker.ts", what, ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const end = (signal: Deno.Signal): void => {
    late = true;
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
  };
  const timers = [setTimeout(end, limit, "SIGTERM"), setTimeout(end, limit + GRACE, "SIGKILL")];
  const { code, stdout, stderr } = await child.output();
  for (const timer of timers) clearTimeout(timer);
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const text = out + error;
  if (late) return { out, text, failure: `no end within ${Math.round(limit / 1000)} s` };
  const last = error.trim().split("\n").at(-1) ?? "";
  if (code === 0) return { out, text };
  return { out, text, failure: printable(last, 400) || `exit code ${code}` };
}
