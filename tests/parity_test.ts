import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { Gpu } from "../kernels/gpu.ts";
import { GPU } from "../kernels/preset.ts";
import { TILING } from "../kernels/conv/tiles.ts";
import { EXIT } from "../cli/exit.ts";
import { parity } from "./parity/main.ts";
import { checkAdjoined, ourName } from "./parity/network.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run");
const REFERENCE = new URL("./reference/", import.meta.url).pathname;

/** Writes a reference file into a folder, with values and metadata changed. */
async function writeChanged(
  dir: string,
  name: string,
  { change = () => {}, metadata = {} }: {
    change?: (key: string, values: Float32Array) => void;
    metadata?: Record<string, string>;
  },
): Promise<void> {
  const file = parseSafetensors(await Deno.readFile(`${REFERENCE}/${name}`), name);
  const tensors = [...file.tensors].map(([key, { shape, data }]) => {
    // Labels are whole numbers and stay as they are.
    if (key === "labels") return [key, { shape, data }] as const;
    const values = Float32Array.from(data, Number);
    change(key, values);
    return [key, { shape, data: values }] as const;
  });
  const bytes = encodeSafetensors(tensors, { ...file.metadata, ...metadata });
  await Deno.writeFile(`${dir}/${name}`, bytes);
}

Deno.test(
  "ops, first steps, ten losses and evaluation equal PyTorch's float64",
  { ignore },
  async () => {
    const lines: string[] = [];
    const holds = await parity(REFERENCE, (line) => lines.push(line));
    assert(holds, lines.filter((line) => line.startsWith("FAILED")).join("\n"));
    const names = [...Deno.readDirSync(REFERENCE)].map(({ name }) => name);
    const files = names.filter((name) => name.endsWith(".safetensors")).length;
    assertEquals(lines.length, files + 1);
    assert(lines.filter((line) => line.startsWith("ok")).length >= 25);
  },
);

Deno.test(
  "parity fails for a file whose numbers are wrong, with exit code 6",
  { ignore },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      await writeChanged(dir, "conv2d_0.safetensors", {
        change: (key, values) => {
          if (key === "dweight") values[7] += 1;
        },
      });
      const { code, out } = await adjoinCommand(["parity", dir]);
      assertEquals(code, EXIT.verification);
      assertMatch(out, /FAILED +conv2d_0\.safetensors/);
      await Deno.copyFile(`${REFERENCE}/linear.safetensors`, `${dir}/linear.safetensors`);
      const quiet = (await adjoinCommand(["parity", dir, "--quiet"])).out;
      assertMatch(quiet, /^FAILED +conv2d_0\.safetensors.*\n1 hold, 1 fail, .*\n$/);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

Deno.test(
  "parity fails for a course that goes wrong after a first step that holds",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await writeChanged(dir, "adjoined_basic_shared.safetensors", {
        change: (key, values) => {
          if (key === "losses") values[5] *= 1.01;
        },
      });
      const lines: string[] = [];
      assertEquals(await parity(dir, (line) => lines.push(line)), false);
      assertMatch(lines[0], /^FAILED .*losses \S+, rounding alone \S+e-[678],/);
    }),
);

Deno.test(
  "parity fails for a course that ends in no numbers",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await writeChanged(dir, "adjoined_basic_shared.safetensors", { metadata: { lr: "1e30" } });
      const lines: string[] = [];
      assertEquals(await parity(dir, (line) => lines.push(line)), false);
      assertMatch(lines[0], /^FAILED .*final Infinity, rounding alone Infinity/);
    }),
);

Deno.test(
  "a course that rounding decides is held to how far rounding moves it",
  { ignore },
  async () => {
    const name = "adjoined_bottleneck_shared.safetensors";
    const file = parseSafetensors(await Deno.readFile(`${REFERENCE}/${name}`), name);
    const [products, filters] = [TILING.products.slice(-2, -1), TILING.filters.slice(-2, -1)];
    const convolution = { ...GPU.convolution, tiles: { ...TILING, products, filters } };
    const gpu = await Gpu.open({ preset: { ...GPU, convolution } });
    try {
      for (const { what, error, allowed } of await checkAdjoined(gpu, file)) {
        assert(error <= allowed, `${what} is ${error} off, ${allowed} is allowed`);
      }
    } finally {
      gpu.destroy();
    }
  },
);

Deno.test("parity refuses a missing folder", { ignore }, async () => {
  const { code, error } = await adjoinCommand(["parity", "/nowhere"]);
  assertEquals(code, EXIT.data);
  assertMatch(error, /found no folder \/nowhere/);
});

Deno.test(
  "a reference file that is cut off is an error of data, and one that is wrong comes first",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const bytes = await Deno.readFile(`${REFERENCE}/linear.safetensors`);
      await Deno.writeFile(`${dir}/linear_0.safetensors`, bytes);
      await Deno.writeFile(`${dir}/linear_1.safetensors`, bytes.subarray(0, bytes.length - 4));
      const cut = await adjoinCommand(["parity", dir]);
      assertEquals(cut.code, EXIT.data);
      assertMatch(
        cut.out,
        /ok +linear_0.*\nno data +linear_1\.safetensors .*\n1 hold, 0 fail, 1 cannot/,
      );
      assertMatch(cut.error, /^adjoin: Cannot .*linear_1\.safetensors.*\n$/);
      const { tensors, metadata } = parseSafetensors(bytes, "linear");
      tensors.get("y")!.data[0] = 1e3;
      await Deno.writeFile(`${dir}/linear_2.safetensors`, encodeSafetensors(tensors, metadata));
      const wrong = await adjoinCommand(["parity", dir]);
      assertEquals(wrong.code, EXIT.verification);
      assertMatch(wrong.out, /1 hold, 1 fail, 1 cannot be read, 0 not checked/);
    }),
);

Deno.test(
  "parity takes a file, and refuses one of no known kind",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const bytes = await Deno.readFile(`${REFERENCE}/linear.safetensors`);
      await Deno.writeFile(`${dir}/other.safetensors`, bytes);
      for (const path of [dir, `${dir}/other.safetensors`]) {
        const { code, out, error } = await adjoinCommand(["parity", path]);
        assertEquals([code, out], [EXIT.data, ""]);
        assertMatch(
          error,
          /names begin with conv2d, .* or torchvision_, found none .*: other\.safe/,
        );
      }
      await Deno.writeFile(`${dir}/linear_0.safetensors`, bytes);
      const { code, out } = await adjoinCommand(["parity", dir]);
      assertEquals(code, EXIT.ok);
      assertMatch(out, /ok +linear_0.*\nunknown +other\.safetensors +is of no known kind\n/);
      const one = await adjoinCommand(["parity", `${dir}/linear_0.safetensors`]);
      assertEquals(one.code, EXIT.ok, one.error);
      assertMatch(one.out, /^ok +linear_0.*\n1 hold, 0 fail, 0 cannot be read, 0 not checked\n$/);
    }),
);

Deno.test("names of the reference files map to names of the library", () => {
  assertEquals(ourName("stem.1.weight", 3), "conv1.3.weight");
  assertEquals(ourName("stem.2.bn.base.var", 3), "bn1.running_var");
  assertEquals(ourName("layer2.0.conv1.bn.small.mean", 3), "small.layer2.0.bn1.running_mean");
  assertEquals(ourName("layer2.0.shortcut.bn.base.bias", 3), "layer2.0.downsample.2.bias");
  assertEquals(ourName("fc.bias", 3), "fc.bias");
});
