// `export --browser`: a file in Chromium's WebGPU gives the logits that it gives in WebAssembly.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { demandTop1 } from "../cli/compact_score.ts";
import { type CompactOptions, compactText, exportCompact } from "../cli/export_compact.ts";
import { browserLine, checkInBrowser } from "../cli/run/browser_check.ts";
import { BrowserExchange } from "../cli/run/browser_exchange.ts";
import { BrowserSession } from "../cli/run/browser_session.ts";
import { installedBrowser } from "../cli/run/installed_browser.ts";
import { encodeOnnx, parseOnnxInfo } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { GpuError } from "../kernels/gpu/gpu_error.ts";
import { UsageError, VerificationError } from "../train/errors.ts";
import { LogitsScore } from "../train/logits_score.ts";
import type { LogitsOf } from "../train/verify.ts";
import { installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { writeLossyRun } from "./lossy_run.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, fewLayers, images } from "./saved_networks.ts";

const ignore = lacks("read", "write", "run", "net", "env");
const chromium = installedChromium() ?? "";

function post(body: string | Uint8Array<ArrayBuffer>): Request {
  return new Request("http://127.0.0.1/", { method: "POST", body });
}

const ASKED = new Request("http://127.0.0.1/");

Deno.test("batches go to a page one by one, and logits come back", async () => {
  const exchange = new BrowserExchange("chromium");
  await exchange.answer("ready", post('{"name": "a GPU", "software": false}'));
  assertEquals(await exchange.ready, { name: "a GPU", software: false });
  for (const value of [1, 2]) {
    const logits = exchange.run(Uint8Array.of(value, 7));
    const next = await exchange.answer("next", ASKED);
    assertEquals([...new Uint8Array(await next!.arrayBuffer())], [value, 7]);
    await exchange.answer("logits", post(new Uint8Array(Float32Array.of(value, 0.5).buffer)));
    assertEquals([...await logits], [value, 0.5]);
  }
  assertEquals(await exchange.answer("other", ASKED), undefined);
  const last = exchange.answer("next", ASKED);
  exchange.end();
  assertEquals((await last)?.status, 204);
});

Deno.test("what a page cannot do ends all that is waited for, and names the browser", async () => {
  const exchange = new BrowserExchange("/opt/chrome");
  await exchange.answer("ready", post("{}"));
  const running = exchange.run(new Uint8Array(1));
  await exchange.answer("problem", post("no such operator\x1b[2J"));
  const said = "Cannot check in /opt/chrome: no such operator\\x1b[2J";
  for (const found of [running, exchange.run(new Uint8Array(1))]) {
    assertEquals((await assertRejects(() => found, GpuError)).message, said);
  }
  const none = new BrowserExchange("a");
  await none.answer("none", post(""));
  await assertRejects(() => none.ready, GpuError, "it gives WebGPU no adapter");
});

Deno.test("a browser is found by its path, or among those that are installed", {
  ignore: lacks("read", "write"),
}, () =>
  withFolder(async (dir) => {
    const path = `${dir}/chrome`;
    assertEquals(await installedBrowser("auto", [path]), undefined);
    const said = "found no such file; choose another --browser, or auto";
    await assertRejects(() => installedBrowser(path), UsageError, said);
    await Deno.writeTextFile(path, "");
    assertEquals(await installedBrowser("auto", [`${dir}/none`, path]), path);
    assertEquals(await installedBrowser(path), path);
  }));

const { bytes } = encodeOnnx(checkpointOf(fewLayers()), { includeNormalization: false });
const info = parseOnnxInfo(bytes, "net");

Deno.test(
  "a file is held to its network's logits in Chromium's WebGPU",
  { ignore: ignore || !chromium },
  async () => {
    const session = await OnnxSession.open(bytes, "net");
    const reporter = { work() {}, note() {} };
    const check = (logits: LogitsOf) =>
      checkInBrowser(chromium, {
        ...{ bytes, logits, which: "small", dataset: images(5), asked: chromium, reporter },
      });
    try {
      const found = await check((batch) => session.logits(batch));
      assertEquals([found?.top1Agreement, found?.images], [1, 5]);
      assert(found && found.maxError < 1e-5 && found.adapter.length > 0, `${found?.maxError}`);
      assertMatch(
        browserLine(found),
        /^the file in onnxruntime-web [\d.]+'s WebGPU \(.+\) equals the trained network: logits /,
      );
      const { message } = await assertRejects(
        () => check(async (batch) => (await session.logits(batch)).map((v) => v + 0.1)),
        VerificationError,
      );
      assertStringIncludes(
        message,
        `Cannot export the small network: in the WebGPU of ${chromium}`,
      );
      assertStringIncludes(message, "nothing was written");
    } finally {
      await session.close();
    }
  },
);

Deno.test(
  "files in fewer bits get as much right in Chromium's WebGPU, or are not written",
  { ignore: ignore || !chromium },
  () =>
    withFolder(async (run) => {
      await writeLossyRun(run);
      const options: CompactOptions = {
        ...{ run, format: "onnx", includeNormalization: false, overwrite: true },
        ...{ calibration: "percentile", calibrationImages: 5, maxDrop: 50, browser: chromium },
      };
      const int8 = await exportCompact("int8", options);
      assertEquals([int8.compact.top1, int8.browser?.top1, int8.browser?.agreement], [0.5, 0.5, 1]);
      assertMatch(
        compactText(int8),
        /\nin its WebGPU \(.+\) 50\.0 % top-1, 100\.0 % same class as in WebAssembly\n/,
      );
      const fp16 = await exportCompact("fp16", { ...options, maxDrop: 0 });
      assertEquals([fp16.browser?.top1, fp16.browser?.agreement], [1, 1]);
    }),
);

Deno.test("a file that loses more elsewhere is refused there by name", () => {
  const score = (right: number) => {
    const score = new LogitsScore(2);
    const labels = new Uint32Array(4);
    const logits = Float32Array.from({ length: 8 }, (_, i) => i % 2 === +(i >> 1 >= right) ? 1 : 0);
    score.add({ pixels: new Uint8Array(), labels, crops: new Float32Array(), count: 4 }, logits);
    return { score, classes: [] };
  };
  const allowed = { which: "small", precision: "int8", maxDrop: 25 } as const;
  demandTop1([score(4), score(3)], allowed);
  assertThrows(
    () => demandTop1([score(4), score(2)], { ...allowed, where: "the WebGPU of /opt/chrome (it)" }),
    VerificationError,
    "Cannot export the small network in int8: wanted top-1 to fall by at most 25 points in the " +
      "WebGPU of /opt/chrome (it), found 50, from 100.0 % to 50.0 % of 4 images",
  );
});

Deno.test("a browser that ends is no browser", { ignore }, async () => {
  const { message } = await assertRejects(
    () => BrowserSession.open("/bin/false", bytes, info),
    GpuError,
  );
  assertStringIncludes(message, "Cannot check in /bin/false: it ended with code 1");
});
