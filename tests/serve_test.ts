// A run that is served: over HTTP, and in a real Chromium while it goes on.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { hold } from "../cli/run/held_file.ts";
import { ProgressFile, readProgress } from "../cli/serve/live_progress.ts";
import { RunServer } from "../cli/serve/server.ts";
import { WatchedRun } from "../cli/serve/watched_run.ts";
import type { EpochMetrics, Progress } from "../train/types.ts";
import { installedChromium } from "./chromium.ts";
import { adjoinCommand } from "./command.ts";
import { withPage } from "./devtools.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { granted } from "./tasks.ts";

const ignore = lacks("read", "write", "net", "env");

const PROGRESS: Progress = {
  epoch: 3,
  epochs: 9,
  step: 5,
  steps: 20,
  imagesPerSecond: 321.4,
  loss: 1.25,
  crossEntropy: 1,
  kl: 0.25,
  lambda: 0.5,
  lr: 0.01,
  waiting: 0,
  training: { base: 0.5, small: 0.4 },
  etaSeconds: 75,
};

function metrics(epoch: number): EpochMetrics {
  const score = { top1: 0.1 * epoch, top5: 0.9, loss: 2 / epoch };
  return { ...PROGRESS, epoch, seconds: 1, validation: { base: score, small: score } };
}

/** The folder of a run that goes on, after so many epochs. */
async function makeRun(dir: string, epochs: number): Promise<void> {
  const config = { command: "train", model: "resnet8", mode: "adjoined", dataset: "generated" };
  await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify({ ...config, seed: 0, epochs: 9 }));
  const lines = Array.from({ length: epochs }, (_, i) => JSON.stringify(metrics(i + 1)) + "\n");
  await Deno.writeTextFile(`${dir}/metrics.jsonl`, lines.join(""));
  await Deno.writeTextFile(`${dir}/secret.txt`, "secret");
}

Deno.test("a run is served to this machine alone, and no file but its own", {
  ignore,
}, async () => {
  await withFolder(async (dir) => {
    await makeRun(dir, 2);
    await using server = RunServer.open(new WatchedRun(dir), 0);
    const { port } = new URL(server.address);
    // As fetch() sets its own Host, and makes paths tidy.
    const ask = async (path: string, host = `127.0.0.1:${port}`, method = "GET") => {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
      const request = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(request));
      return await new Response(connection.readable).text().catch(String);
    };
    const status = async (...of: Parameters<typeof ask>) =>
      Number((await ask(...of)).split(" ")[1]);
    const page = await ask("/");
    assertMatch(page, /^HTTP\/1.1 200 /);
    assertMatch(page, /content-security-policy: default-src 'none'/);
    assertStringIncludes(page, '<script type="module" src="live/script.js">');
    assertEquals(await status("/", `localhost:${port}`), 200);
    assertEquals(await status("/metrics.jsonl"), 200);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1"]) {
      assertEquals(await status("/", host), 403, host);
    }
    for (
      const path of ["/secret.txt", "/../secret.txt", "/%2e%2e/a", "/live/live.js", "//etc/passwd"]
    ) {
      assertEquals(await status(path), 404, path);
    }
    assertEquals(await status("/%ff"), 400);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      assertEquals(await status("/", undefined, method), 405, method);
    }
  });
});

Deno.test("the page of a run changes while it trains, in Chromium", {
  ignore: ignore || lacks("run") || installedChromium() === undefined,
}, async () => {
  await withFolder(async (dir) => {
    await makeRun(dir, 2);
    const held = hold(`${dir}/config.json`);
    await using server = RunServer.open(new WatchedRun(dir), 0);
    await withPage(server.address, async ({ evaluate, until, problems, send }) => {
      await until("document.querySelector('#live').className === 'running'");
      await evaluate("globalThis.same = true; scrollTo(0, 200)");
      await Deno.writeTextFile(`${dir}/progress.json`, JSON.stringify({ progress: PROGRESS }));
      await until("document.querySelector('#live').textContent.includes('epoch 3 of 9, step 5')");
      assertEquals(await evaluate("document.querySelector('.live-track i').style.width"), "25%");
      assertStringIncludes(
        String(await evaluate("document.querySelector('#live').textContent")),
        "1:15 left",
      );
      const third = "document.querySelector('main').textContent.includes('30.0')";
      assertEquals(await evaluate(third), false);
      await Deno.writeTextFile(
        `${dir}/metrics.jsonl`,
        JSON.stringify(metrics(3)) + "\n",
        { append: true },
      );
      await until(third);
      // Nothing was loaded anew, and nothing has jumped.
      assertEquals(await evaluate("globalThis.same && scrollY > 150 && scrollY < 260"), true);
      held?.[Symbol.dispose]();
      await until("document.querySelector('#live').className === 'stopped'");
      assertEquals(problems, []);
      await send("Page.reload");
      await until("document.querySelector('#live')?.className === 'stopped'");
      await server[Symbol.asyncDispose]();
      await until("document.querySelector('#live').className === 'lost'");
    });
  });
});

Deno.test("progress is written now and then, and goes away with the run", { ignore }, async () => {
  await withFolder(async (dir) => {
    let now = 0;
    const file = new ProgressFile(() => dir, () => now);
    const path = `${dir}/progress.json`;
    file.tell({ progress: PROGRESS });
    // Within the second, and while it is being written.
    file.tell({ progress: { ...PROGRESS, step: 6 } });
    while (!await Deno.stat(path).catch(() => false)) await new Promise((go) => setTimeout(go));
    const shown = readProgress(await Deno.readTextFile(path));
    assertEquals(shown, {
      words: "epoch 3 of 9, step 5 of 20, loss 1.250, 321 images/s",
      done: 0.25,
      eta: 75,
    });
    now = 1001;
    await new Promise((go) => setTimeout(go));
    file.tell({ work: { what: "validating", done: 1, total: 4, unit: "images" } });
    await file.end();
    assertEquals([...Deno.readDirSync(dir)], []);
    for (const text of ["", "{", "[]", "{}", '{"progress":{"epoch":1}}', '{"work":{"done":"1"}}']) {
      assertEquals(readProgress(text), undefined, text);
    }
  });
});

Deno.test("train --serve has a page while it trains, and needs the permission for it", {
  ignore: ignore || lacks("run", "ffi"),
}, async () => {
  await withFolder(async (dir) => {
    const line = `train --model resnet8 --epochs 1 --train-size 16 --val-size 8 --batch-size 8 ` +
      `--image-size 12 --output ${dir}/run --serve`;
    const [served, refused, none, taken] = await Promise.all([
      adjoinCommand(line.split(" "), {}, [...granted(["train"]), "--allow-net=127.0.0.1"]),
      adjoinCommand(line.replace("/run ", "/other ").split(" ")),
      adjoinCommand(["serve", `${dir}/none`]),
      adjoinCommand(["serve", dir, "--port", "0"]),
    ]);
    assertEquals(served.code, 0, served.error);
    assertMatch(served.out, /live page: http:\/\/127\.0\.0\.1:\d+\/\n/);
    assert(![...Deno.readDirSync(`${dir}/run`)].some(({ name }) => name === "progress.json"));
    assertEquals(refused.code, 2);
    assertMatch(refused.error, /start with deno task adjoin, or add --allow-net=127.0.0.1\n$/);
    assertEquals([none.code, none.out], [3, ""]);
    assertMatch(none.error, /Cannot report on .*none: wanted the folder of a run/);
    assertEquals(taken.code, 2);
  });
});
