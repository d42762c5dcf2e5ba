import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { EXIT } from "../cli/exit.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { withFolder } from "./folder.ts";
import { encode, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { LOCK } from "./tasks.ts";

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
      ...["run", "--no-prompt", LOCK, "--allow-read", "--allow-write", "--allow-env"],
      ...[...permissions, cli, ...args],
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

/** What is said before a run is saved. */
const SAVING = "saving after this step, once more leaves at once\\n";

/** What is said when it is, of a run in `/run` that has trained for some epochs. */
function keeps(words: string, kept: string): RegExp {
  return new RegExp(
    `^adjoin: ${words}; ${SAVING}adjoin: ${words}; \\S+/run keeps ${kept}(, batch\\.png)?, report\\.html and a ` +
      `checkpoint of .*; go on with deno task \\w+ --resume \\S+/run\\n$`,
  );
}

const TRAINED = "config\\.json, metrics\\.jsonl with \\d+ epochs";

/** Files whose bytes do not depend on when they were written. */
const EXACT = ["base.safetensors", "small.safetensors", "confusion.svg"];

Deno.test(
  "an interrupted run says what goes on with it, and comes to the same results",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const flags = ["train", ...SHORT, "--epochs", "40", "--overwrite"];
      const stopped = await interrupted([...flags, "--output", `${dir}/run`], "epoch  2/");
      assertEquals(stopped.code, 130, stopped.error);
      assertMatch(stopped.error, keeps("interrupted", TRAINED));
      const page = await Deno.readTextFile(`${dir}/run/report.html`);
      assertMatch(page, /<title>run \(stopped\), adjoin<[^]*<section id="curves"/);
      const [, command, run] = stopped.error.match(/deno task (\w+) --resume (\S+)/) ?? [];
      const resumed = await adjoinCommand([command, "--resume", run, "--quiet"]);
      assertEquals(resumed.code, 0, resumed.error);
      const straight = await adjoinCommand([...flags, "--output", `${dir}/straight`]);
      assertEquals(straight.code, 0, straight.error);
      for (const name of EXACT) {
        const [a, b] = ["run", "straight"].map((of) => Deno.readFileSync(`${dir}/${of}/${name}`));
        assertEquals(a, b, name);
      }
      const again = await adjoinCommand([command, "--resume", run]);
      const done = `${run} has nothing left to do: it has trained all 40 epochs\n`;
      assertEquals([again.code, again.out], [0, done]);
    }),
);

Deno.test(
  "a run whose time is up has an exit code of its own",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const args = ["train", ...SHORT, "--epochs", "2", "--output", `${dir}/run`];
      const { code, error } = await adjoinCommand([...args, "--time-limit", "1e-9"]);
      assertEquals([code, EXIT.timeUp], [7, 7], error);
      const end = "a checkpoint of epoch 1, step 1; go on with deno task train --resume";
      assertEquals(error.includes(end), true, error);
      assertEquals(error.startsWith("adjoin: time is up; "), true, error);
    }),
);

Deno.test(
  "a run that is told to end says what is there",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const train = ["train", ...SHORT, "--epochs", "100000", "--output", `${dir}/run`];
      const trained = await interrupted(train, "epoch      2/", { signal: "SIGTERM" });
      assertEquals(trained.code, 143, trained.error);
      assertMatch(trained.error, keeps("ended by SIGTERM", TRAINED));
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
        keeps("interrupted", "config\\.json, search\\.jsonl with \\d+ epochs"),
      );
    }),
);

Deno.test(
  "an interrupted comparison says how many results it has",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const flags = ["--budget-macs", "0.8", "--epochs", "2", "--output", `${dir}/run`];
      const { code, error } = await interrupted(["compare", ...SHORT, ...flags], "alone, after");
      assertEquals(code, 130, error);
      assertMatch(
        error,
        /adjoin: interrupted; \S+\/run keeps compare\.json with \d+ results?, the networks, report\.html and a checkpoint of .* of [a-z-]+-0; go on with deno task compare --resume \S+\/run\n$/,
      );
    }),
);

Deno.test(
  "a run whose terminal is closed says what is there, in its log",
  { ignore: ignore || Deno.build.os === "windows" },
  () =>
    withFolder(async (dir) => {
      const train = ["train", ...SHORT, "--epochs", "100000", "--output", `${dir}/run`];
      const { code, error } = await interrupted(train, "epoch      2/", { signal: "SIGHUP" });
      assertEquals(code, 129, error);
      assertMatch(error, keeps("ended by SIGHUP, as when its terminal is closed", TRAINED));
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
      assertMatch(error, keeps("interrupted", TRAINED));
    }),
);
