import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { writer } from "../cli/writer.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { LOCK } from "./tasks.ts";

/** A stream that takes three bytes at a time, each write after the errors that stand before it. */
function stream(
  errors: (Error | undefined)[],
): { text: () => string; writeSync(b: Uint8Array): number } {
  const taken: number[] = [];
  return {
    text: () => new TextDecoder().decode(Uint8Array.from(taken)),
    writeSync(bytes) {
      const error = errors.shift();
      if (error) throw error;
      return taken.push(...bytes.subarray(0, 3)) && Math.min(3, bytes.length);
    },
  };
}

Deno.test("all of a text is written, to readers that are behind as well", () => {
  const behind = () => new Deno.errors.WouldBlock("later");
  const slow = stream([behind(), undefined, behind(), behind(), undefined]);
  const failed: Error[] = [];
  writer(slow, (cause) => failed.push(cause))("eight λ");
  assertEquals([slow.text(), failed], ["eight λ", []]);
});

Deno.test("a reader that has gone away is no error, a full disk is told of", () => {
  const failed: Error[] = [];
  writer(stream([new Deno.errors.BrokenPipe("gone")]), (cause) => failed.push(cause))("text");
  assertEquals(failed, []);
  writer(stream([undefined, new Error("full")]), (cause) => failed.push(cause))("text");
  assertEquals(failed.map(({ message }) => message), ["full"]);
});

const FULL = "/dev/full";

/** Runs a command whose output nobody can keep. */
async function unheard(args: readonly string[]): Promise<{ code: number; error: string }> {
  const cli = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
  const command = [
    "run",
    "--no-prompt",
    LOCK,
    "--allow-read",
    "--allow-write",
    "--allow-env",
    cli,
    ...args,
  ];
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", `exec "$0" "$@" > ${FULL}`, Deno.execPath(), ...command],
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdout: "null",
  }).output();
  return { code, error: new TextDecoder().decode(stderr) };
}

const ignore = Deno.build.os !== "linux" || lacks("read", "write", "run", "env");

Deno.test(
  "a run goes on where its progress cannot be printed",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const sizes = ["--train-size", "16", "--val-size", "8", "--batch-size", "16"];
      const { code, error } = await unheard([
        "train",
        "--epochs",
        "2",
        ...sizes,
        "--output",
        `${dir}/run`,
      ]);
      assertEquals(code, 0, error);
      assertMatch(error, /^adjoin: Cannot print progress: .*; the run goes on without\n$/);
      const { size } = await Deno.stat(`${dir}/run/small.safetensors`);
      assertEquals(size > 60_000, true);
    }),
);

Deno.test("a result that cannot be printed is an error, with exit code 2", { ignore }, async () => {
  const { code, error } = await unheard(["summary"]);
  assertEquals(code, 2);
  assertMatch(error, /^adjoin: Cannot print the result: .*; make room or send it elsewhere\n$/);
});
