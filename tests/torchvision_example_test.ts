// Runs examples/torchvision_for_the_web on made weights and pictures.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Random } from "../data/random.ts";
import { encodeSafetensors } from "../data/safetensors.ts";
import { parseOnnxInfo } from "../export/onnx.ts";
import { model } from "../nn/families/mod.ts";
import { toTorch } from "../nn/layout.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makePictures } from "./picture_folders.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");
const root = fileURLToPath(new URL("../", import.meta.url));

/** A file as weights.py writes it; torchvision calls the layers of this network as they are here. */
function weights(): Uint8Array<ArrayBuffer> {
  const network = model("squeezenet1_1", { classes: 1000 });
  const specs = networkSpecs(network);
  const random = new Random(0, "weights");
  const state = initialize(specs, network, () => random.normal());
  return encodeSafetensors(
    specs.parameters.map(({ name, shape }) =>
      [name, toTorch(state.get(name) ?? new Float32Array(), shape)] as const
    ),
  );
}

Deno.test("torchvision's weights and photographs become a page with a small network", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    await Deno.writeFile(`${dir}/weights.safetensors`, weights());
    const files = ["cat", "dog"].flatMap((name) => [
      ...Array.from({ length: 32 }, (_, i) => `train/${name}/${i}.png`),
      ...[0, 1].map((i) => `val/${name}/${i}.png`),
    ]);
    await makePictures(`${dir}/photos`, files);
    const script = "examples/torchvision_for_the_web/compress.sh";
    const args = [script, `${dir}/photos`, `${dir}/weights.safetensors`, `${dir}/run`];
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args,
      cwd: root,
      env: { MODEL: "squeezenet1_1", SIZE: "32", EPOCHS: "1", NO_COLOR: "1" },
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, error);
    // All but the classifier.
    assertStringIncludes(out, "starts from 50 of the 52 tensors");
    const { which, classes, image } = parseOnnxInfo(
      await Deno.readFile(`${dir}/run/small.onnx`),
      "small.onnx",
    );
    assertEquals([which, classes, image], ["small", ["cat", "dog"], [32, 32, 3]]);
    assertStringIncludes(await Deno.readTextFile(`${dir}/run/small.html`), '"model":"small.onnx"');
  }));
