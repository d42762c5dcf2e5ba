import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./command.ts";
import { withFolder } from "./folder.ts";
import { encode, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");

const SHORT = ["--train-size", "16", "--val-size", "8", "--batch-size", "16"];

/** Runs a command until it has printed `text`, then interrupts it, or sends it another signal. */
async function interrupted(
  args: readonly string[],
  text: string,
  { signal = "SIGINT", permissions = [] }: {
    readonly signal?: Deno.Signal;
    readonly permissions?: readonly string[];
  } = {},
): Promise<Outcome> {
  const cli = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read", "--allow-write", "--allow-env", ...permissions],
      ...[cli, ...args],
    ],
    env: { XDG_RUNTIME_DIR: "/tmp", NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const error = new Response(process.stderr).text();
  let out = "";
  for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
    if (!out.includes(text) && (out + part).includes(text)) process.kill(signal);
    out += part;
  }
  return { code: (await process.status).code, out, error: await error };
}

Deno.test(
  "an interrupted run says what is there, and no more",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const train = ["train", ...SHORT, "--epochs", "100000", "--output", `${dir}/train`];
      const trained = await interrupted(train, "epoch      2/");
      assertEquals(trained.code, 130, trained.error);
      assertMatch(
        trained.error,
        /^adjoin: interrupted; \S+\/train keeps config\.json and metrics\.jsonl with \d+ epochs, but no weights\n$/,
      );
    }),
);

Deno.test(
  "a run that is told to end says what is there",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const train = ["train", ...SHORT, "--epochs", "100000", "--output", `${dir}/train`];
      const trained = await interrupted(train, "epoch      2/", { signal: "SIGTERM" });
      assertEquals(trained.code, 143, trained.error);
      assertMatch(trained.error, /^adjoin: ended by SIGTERM; \S+\/train keeps config\.json\b/);
    }),
);

Deno.test(
  "an interrupted search says how far the search is",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const search = ["search", ...SHORT, "--budget-macs", "0.8", "--output", `${dir}/run`];
      const found = await interrupted([...search, "--search-epochs", "100000"], "epoch      2/");
      assertEquals(found.code, 130, found.error);
      assertMatch(
        found.error,
        /\/run keeps config\.json and search\.jsonl with \d+ epochs, but no weights\n$/,
      );
    }),
);

Deno.test(
  "an interrupted comparison says how many results it has",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const flags = ["--budget-macs", "0.8", "--epochs", "2", "--output", `${dir}/run`];
      const { code, error } = await interrupted(["compare", ...SHORT, ...flags], "base alone");
      assertEquals(code, 130, error);
      assertMatch(
        error,
        /^adjoin: interrupted; \S+\/run keeps compare\.json with \d+ results?, and the networks\n$/,
      );
    }),
);

Deno.test(
  "a run whose terminal is closed says what is there, in its log",
  { ignore: ignore || Deno.build.os === "windows" },
  () =>
    withFolder(async (dir) => {
      const train = ["train", ...SHORT, "--epochs", "100000", "--output", `${dir}/train`];
      const { code, error } = await interrupted(train, "epoch      2/", { signal: "SIGHUP" });
      assertEquals(code, 129, error);
      assertMatch(
        error,
        /^adjoin: ended by SIGHUP, as when its terminal is closed; \S+\/train keeps config\.json\b/,
      );
    }),
);

Deno.test(
  "a run that is interrupted while workers decode leaves no process behind",
  { ignore: ignore || lacks("ffi") },
  () =>
    withFolder(async (dir) => {
      for (const half of ["train", "val"]) {
        for (const name of ["a", "b"]) {
          await Deno.mkdir(`${dir}/photos/${half}/${name}`, { recursive: true });
          for (let i = 0; i < 8; i++) {
            const bytes = await encode(noise(300, 400, 3), "jpeg");
            await Deno.writeFile(`${dir}/photos/${half}/${name}/${i}.jpg`, bytes);
          }
        }
      }
      const flags = ["--batch-size", "4", "--epochs", "100000", "--output", `${dir}/run`];
      const data = ["--data-dir", `${dir}/photos`, "--image-size", "16", "--cache", "none"];
      const args = ["train", ...data, ...flags, "--workers", "3"];
      const { code, error } = await interrupted(args, "epoch      2/", {
        permissions: ["--allow-ffi"],
      });
      assertEquals(code, 130, error);
      assertMatch(error, /^adjoin: interrupted; \S+\/run keeps config\.json\b/);
    }),
);
