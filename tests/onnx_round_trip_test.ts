// Files that are exported read back as networks with equal logits.
import { assert, assertEquals } from "@std/assert";
import { encodeOnnx } from "../export/onnx.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { nchwToNhwc, nhwcToNchw } from "../nn/layout.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { networkState } from "../nn/state.ts";
import { distance, type Images, inFloat64, noise, stateOf } from "./onnx_parity.ts";
import { checkpointOf, IMAGE, NETWORKS } from "./saved_networks.ts";

/** Pixels as they are normalised. */
function normalized(
  { shape, data }: Images,
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
): Images {
  const [count, channels, height, width] = shape;
  const pixels = nchwToNhwc(data, shape).map((p, i) =>
    (p / 255 - mean[i % channels]) / std[i % channels]
  );
  return { shape, data: nhwcToNchw(pixels, [count, height, width, channels]) };
}

for (const [what, network] of Object.entries(NETWORKS)) {
  Deno.test(`a network ${what} reads back with equal logits`, () => {
    const checkpoint = checkpointOf(network);
    const images = noise([2, 3, IMAGE.height, IMAGE.width]);
    const wanted = inFloat64(network, networkState(network, checkpoint.state), images);
    for (const includeNormalization of [false, true]) {
      const { bytes } = encodeOnnx(checkpoint, { includeNormalization });
      const read = readOnnx(bytes, "it");
      assertEquals(read.image, IMAGE);
      assertEquals(parseNetwork(encodeNetwork(read.network)), read.network);
      const found = inFloat64(read.network, stateOf(read), images);
      assert(distance(found, wanted) < 1e-4, `${distance(found, wanted)}`);
      const { mean, std, classes, which } = read.metadata;
      const { normalization } = checkpoint;
      assertEquals({ mean: JSON.parse(mean), std: JSON.parse(std) }, normalization);
      assertEquals(JSON.parse(classes), checkpoint.classes);
      // Whoever trains it begins with a base network, whatever it was.
      assertEquals(which, undefined);
    }
  });
}

Deno.test("a normalisation within a file without metadata is taken off, and told", async () => {
  const { GraphFile } = await import("./onnx_graph_file.ts");
  const { compared, inRuntime } = await import("./onnx_parity.ts");
  const [mean, std] = [[0.4, 0.5, 0.6], [0.25, 0.2, 0.3]];
  const constant = (g: InstanceType<typeof GraphFile>, name: string, values: number[]) =>
    g.weights(name, [1, 3, 1, 1], { data: Float32Array.from(values) });
  for (const range of [255, 1]) {
    const g = new GraphFile();
    let x = range === 255 ? g.node("Div", [g.image, g.number(255)]) : g.image;
    x = g.node("Sub", [x, constant(g, "mean", mean)]);
    x = g.node("Div", [x, constant(g, "std", std)]);
    const bytes = g.bytes(g.classifier(g.conv(x, "a", [4, 3, 3, 3]), 4));
    const read = readOnnx(bytes, "it");
    assertEquals(JSON.parse(read.metadata.mean), mean);
    assertEquals(JSON.parse(read.metadata.std), std);
    const images = noise([2, 3, 9, 8]);
    const pixels = { ...images, data: images.data.map((v) => range * v) };
    const own = normalized({ ...images, data: images.data.map((v) => 255 * v) }, { mean, std });
    const found = inFloat64(read.network, stateOf(read), own);
    const wanted = await inRuntime(bytes, pixels);
    assert(distance(found, wanted) < 1e-4, `${distance(found, wanted)}`);
    assert((await compared(bytes)).distance > 1e-2);
  }
});
