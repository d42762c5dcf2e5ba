// Models that torch.onnx has written, read as networks: where Python has torch, torchvision and onnx.
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { count } from "../nn/count.ts";
import { compared } from "./onnx_parity.ts";
import { lacks } from "./permissions.ts";

const SCRIPT = fileURLToPath(new URL("python/onnx_model.py", import.meta.url));
const ignore = lacks("read", "write", "run", "env");

/** A Python that can write models; nothing where there is none. */
async function pythonWithOnnx(): Promise<string | undefined> {
  for (const program of ["python3", "/usr/bin/python3"]) {
    const args = ["-c", "import torch, torchvision, onnx"];
    const found = await new Deno.Command(program, { args, stderr: "null" }).output()
      .catch(() => undefined);
    if (found?.success) return program;
  }
}

const python = ignore ? undefined : await pythonWithOnnx();

/** Models, the operator set and the pixels of a side, and parameters as torchvision counts them. */
const MODELS: readonly (readonly [string, number, number, number])[] = [
  ["resnet18", 11, 32, 11_689_512],
  ["mobilenet_v3_small", 13, 32, 2_542_856],
  ["shufflenet_v2_x0_5", 13, 32, 1_366_792],
  ["squeezenet1_1", 16, 32, 1_235_496],
];

for (const [name, opset, size, params] of MODELS) {
  const skipped = { ignore: python === undefined };
  Deno.test(`torchvision's ${name} is read from operator set ${opset}`, skipped, async () => {
    const file = await Deno.makeTempFile({ suffix: ".onnx" });
    try {
      const { success, stderr } = await new Deno.Command(python ?? "", {
        args: [SCRIPT, name, `${opset}`, `${size}`, file],
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const { network, image, distance } = await compared(await Deno.readFile(file));
      assert(distance < 1e-4, `${distance}`);
      assertEquals(count(network, image).params, params);
      // Names are torchvision's, and not made up of operators.
      const names = network.layers.flatMap((layer) => "name" in layer ? [layer.name] : []);
      assert(names.every((layer) => /^[a-z]\w*(\.[a-z\d]\w*)*$/.test(layer)), names.join());
    } finally {
      await Deno.remove(file);
    }
  });
}
