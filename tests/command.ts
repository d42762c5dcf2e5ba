/** What a command line printed, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const ROOT = new URL("../", import.meta.url);

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi"];

/** Runs `adjoin` with arguments, as the tasks of deno.json do. */
export async function adjoinCommand(
  args: readonly string[],
  env: Record<string, string> = {},
  permissions: readonly string[] = PERMISSIONS,
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, "cli/main.ts", ...args],
    cwd: ROOT,
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}
