// The page that `export --page` writes, in Chromium: what it says of a picture is what `predict` says.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { browserScript } from "../cli/run/browser_script.ts";
import { demandPictures, pageText, pageWords, writePage } from "../cli/run/page_files.ts";
import { DataError } from "../data/error.ts";
import { encodeOnnx, parseOnnxInfo } from "../export/onnx.ts";
import type { FoundClass } from "../train/classifier.ts";
import { inChromium, installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { encode, noise, waves } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { assertSameClasses, predicted } from "./predicted.ts";
import { checkpointOf, fewLayers } from "./saved_networks.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");
const chromium = installedChromium() ?? "";

/** For pictures that are no squares. */
const CHECKPOINT = {
  ...checkpointOf(fewLayers()),
  classes: ["cat", "dog", "</script><b>", "ä & “b”"],
  cropPct: 0.8,
  interpolation: "bicubic",
  top1: 0.75,
} as const;

function file(includeNormalization: boolean): Uint8Array {
  return encodeOnnx(CHECKPOINT, { includeNormalization }).bytes;
}

/** What the page shows of a file. */
interface Shown {
  readonly problem?: string;
  readonly times: string;
  readonly status: string;
  readonly found: readonly FoundClass[];
}

interface Found extends Record<"dropped" | "broken" | "chosen" | "webgpu", Shown> {
  readonly names: readonly string[];
  readonly width: number;
}

function assertSame(shown: Shown, wanted: readonly FoundClass[]): void {
  assertEquals(shown.problem, undefined);
  assertSameClasses(shown.found, wanted);
}

Deno.test(
  "a page in Chromium says of dropped and chosen pictures what predict says",
  { ignore: ignore || !chromium || lacks("net") },
  () =>
    withFolder(async (dir) => {
      const net = `${dir}/net.onnx`;
      const bytes = file(false);
      await Deno.writeFile(net, bytes);
      await writePage(`${dir}/net.html`, net, parseOnnxInfo(bytes, net));
      await Deno.writeFile(`${dir}/first.png`, await encode(waves(70, 45, 3), "png"));
      await Deno.writeFile(`${dir}/second.png`, await encode(noise(40, 61, 3), "png"));
      await Deno.writeTextFile(`${dir}/notes.txt`, "no picture");
      const entry = fileURLToPath(new URL("browser/page.js", import.meta.url));
      const found = await inChromium(chromium, entry, { folder: dir }) as Found;
      assertEquals(found.names, [...CHECKPOINT.classes]);
      assertSame(found.dropped, await predicted(net, `${dir}/first.png`));
      assertMatch(
        found.dropped.times,
        /^What the network sees, 23 × 29 pixels: [\d.]+ ms on WebAssembly, [\d.]+ ms to decode/,
      );
      assertEquals(
        found.broken.problem,
        "notes.txt: no picture that this browser can decode.",
      );
      const second = await predicted(net, `${dir}/second.png`);
      assertSame(found.chosen, second);
      assertSame(found.webgpu, second);
      assertMatch(found.webgpu.status, /^Ready, on WebGPU: /);
      assert(found.width <= 1280, `${found.width} pixels`);
    }),
);

Deno.test("a page holds its network's description, and names cannot end it", {
  ignore: lacks("read"),
}, async () => {
  const text = await pageText("net.onnx", parseOnnxInfo(file(true), "net"));
  assertEquals(text.match(/\{\{/g), null);
  assertEquals(text.match(/<\/script>/g)?.length, 3);
  const [, json] = text.match(/id="network">\s*(.*)\s*<\/script>/) ?? [];
  const { image, normalization, classes, top1 } = CHECKPOINT;
  assertEquals(JSON.parse(json), {
    model: "net.onnx",
    runtime: "onnxruntime-web-1.30.0",
    preparation: {
      kind: "central",
      channels: 3,
      size: image[0],
      width: image[1],
      cropPct: 0.8,
      interpolation: "bicubic",
    },
    ...{ image, normalization, range: "pixels", classes, top1 },
  });
});

Deno.test("a folder with spaces is in quotes where a page says how to serve it", () => {
  assertMatch(pageWords("/a b/net.html"), / --directory '\/a b', and open http:.*\/net\.html$/);
  assertMatch(pageWords("/a/net 2.html"), / --directory \/a, and open http:.*\/net%202\.html$/);
});

Deno.test("a page for neither grey nor RGB is refused", () => {
  const info = { ...CHECKPOINT, image: [8, 8, 4] } as const;
  const said = "wanted a network for grey or RGB, found one for images of 4 channels";
  assertThrows(() => demandPictures(info, "net"), DataError, said);
  demandPictures(CHECKPOINT, "net");
});

Deno.test("a script for browsers is refused where two of its modules declare a name", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.ts`, 'import { b } from "./b.ts";\nexport const a = b;');
    const script = () => browserScript(new URL(`file://${dir}/a.ts`));
    await Deno.writeTextFile(`${dir}/b.ts`, "export const b: number = 1;");
    assertEquals(await script(), "const b         = 1;\n\nconst a = b;");
    await Deno.writeTextFile(`${dir}/b.ts`, "export const b = 1;\nfunction a(): void {}");
    const error = await script().catch((error) => error);
    assertMatch(String(error), /a\.ts and .*b\.ts both declare a/);
  }));
