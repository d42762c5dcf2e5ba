import { granted, LOCK } from "./tasks.ts";

/** What a command line printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const ROOT = new URL("../", import.meta.url);

/** Runs `adjoin` with arguments, as the tasks of deno.json do, with what they grant unless told. */
export async function adjoinCommand(
  args: readonly string[],
  env: Record<string, string> = {},
  permissions: readonly string[] = granted(args),
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", LOCK, ...permissions, "cli/main.ts", ...args],
    cwd: ROOT,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}
