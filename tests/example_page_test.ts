// The page of examples/web: what it reads of ONNX files, and in Chromium what it says of pictures.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { onnxMetadata } from "../examples/web/onnx_metadata.ts";
import { encodeCheckpoint } from "../export/checkpoint.ts";
import { encodeOnnx } from "../export/onnx.ts";
import type { FoundClass } from "../train/classifier.ts";
import { inChromium, installedChromium } from "./chromium.ts";
import { blocks, withoutNumbers } from "./example_heads.ts";
import { withFolder } from "./folder.ts";
import { encode, waves } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { assertSameClasses, predicted } from "./predicted.ts";
import { checkpointOf, fewLayers, randomState } from "./saved_networks.ts";

const chromium = installedChromium() ?? "";
const ignore = !chromium || lacks("read", "write", "run", "env", "ffi", "net");
const root = fileURLToPath(new URL("../", import.meta.url));

const CHECKPOINT = {
  ...checkpointOf(fewLayers()),
  classes: ["cat", "dog", "bird", "ä & “b”"],
  cropPct: 0.8,
  interpolation: "bicubic",
  top1: 0.75,
} as const;

const FILE = encodeOnnx(CHECKPOINT, { includeNormalization: false }).bytes;

Deno.test("the metadata of an ONNX file are read, and no other file is taken for one", () => {
  const found = onnxMetadata(FILE);
  assertEquals(JSON.parse(found.get("classes") ?? ""), CHECKPOINT.classes);
  assertEquals([found.get("range"), found.get("top1")], ["normalized", "0.75"]);
  for (const file of [FILE.subarray(0, -5), new TextEncoder().encode("no network")]) {
    assertThrows(() => onnxMetadata(file), RangeError, "no ONNX file");
  }
});

type Found = Readonly<Record<"adjoin" | "webgpu" | "wasm" | "other", FoundClass[]>> & {
  readonly about: string;
  readonly broken: string;
  readonly enabled: readonly string[];
  readonly width: number;
};

Deno.test(
  "examples/web says in Chromium what predict says, on every provider",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const [run, site] = [`${dir}/run`, `${dir}/site`];
      await Deno.mkdir(`${site}/other`, { recursive: true });
      await Deno.mkdir(run);
      await Deno.writeFile(
        `${run}/small.safetensors`,
        encodeCheckpoint(CHECKPOINT.network, CHECKPOINT.state, CHECKPOINT),
      );
      await Deno.writeFile(`${run}/small.onnx`, FILE);
      const other = { ...CHECKPOINT, state: randomState(CHECKPOINT.network, 5) };
      const pixels = encodeOnnx(other, { includeNormalization: true }).bytes;
      await Deno.writeFile(`${site}/other/small.onnx`, pixels);
      await Deno.writeFile(`${site}/first.png`, await encode(waves(70, 45, 3), "png"));
      await Deno.writeTextFile(`${site}/notes.txt`, "no picture");

      const head = (await Deno.readTextFile(`${root}/examples/web/build.ts`)).split("*/")[0];
      const [command, printed] = blocks(head).map((block) =>
        block.replaceAll("runs/photos", run).replaceAll(/\bsite\b/g, site)
      );
      const [, ...args] = command.split(" ");
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root })
        .output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(withoutNumbers(new TextDecoder().decode(stdout)), withoutNumbers(printed));

      const entry = fileURLToPath(new URL("browser/example_page.js", import.meta.url));
      const found = await inChromium(chromium, entry, { folder: site }) as Found;
      const wanted = await predicted(`${run}/small.safetensors`, `${site}/first.png`);
      for (const provider of ["adjoin", "webgpu", "wasm"] as const) {
        assertSameClasses(found[provider], wanted);
      }
      assertSameClasses(
        found.other,
        await predicted(`${site}/other/small.onnx`, `${site}/first.png`),
      );
      assertEquals(found.enabled, ["webgpu", "wasm"]);
      assertEquals(found.broken, "no picture that this browser can decode");
      const { image: [height, width] } = CHECKPOINT;
      assertEquals(
        found.about,
        `4 classes, ${width} × ${height} pixels, 75.0 % right in validation`,
      );
      assert(found.width <= 390, `${found.width} pixels`);
    }),
);
