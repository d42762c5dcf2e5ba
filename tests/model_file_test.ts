// Networks of files, as runs take them: for other classes, other images, and kept in states.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { classesOf, type Network, network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import { UsageError } from "../train/errors.ts";
import { givenNetwork, networkOfRun, savedNetwork, withClasses } from "../train/model_file.ts";
import { GraphFile } from "./onnx_graph_file.ts";
import { stateOfRun } from "./run_states.ts";

/** Outputs of the layers that have some. */
function outs({ layers }: Network): number[] {
  return layers.flatMap((layer) => "out" in layer ? [layer.out] : []);
}

Deno.test("a network gets other classes by its last layer, fully connected or a convolution", () => {
  for (const name of ["resnet8", "squeezenet1_1", "mobilenetv2_100"]) {
    const own = model(name, { classes: 7 });
    const other = withClasses(own, 3, "net.onnx");
    assertEquals(classesOf(other), 3);
    assertEquals(outs(other), [...outs(own).slice(0, -1), 3]);
    assertEquals(withClasses(own, 7, "net.onnx"), own);
  }
});

Deno.test("logits of several layers are for their own classes alone", () => {
  const own = network({ channels: 3 }, (n) => {
    const parts = ["a", "b"].map((name) => n.conv2d(n.image, { name, out: 2, kernel: 1 }));
    n.globalAvgPool2d(n.concat(parts));
  });
  const { message } = assertThrows(() => withClasses(own, 3, "net.onnx"), UsageError);
  assertStringIncludes(message, "wanted logits that one layer makes, found 2");
});

/** A file for images of any sides. */
function open(): Uint8Array {
  const g = new GraphFile(["batch", 3, "height", "width"]);
  return g.bytes(g.classifier(g.conv(g.image, "a", [4, 3, 3, 3]), 4));
}

Deno.test("sides that a file leaves open are those of the images", () => {
  const image = { height: 12, width: 10 };
  const read = readOnnx(open(), "it", image);
  assertEquals(read.image, image);
  assertThrows(
    () => readOnnx(open(), "it"),
    DataError,
    "wanted an input with a height and a width",
  );
});

Deno.test("images of other sides are told of, those of other channels refused", () => {
  const read = readOnnx(open(), "it", { height: 12, width: 12 });
  const images = { name: "photos", classes: ["a", "b"], channels: 3, height: 8, width: 9 };
  const { network, given } = givenNetwork(read, images, "net.onnx");
  assertEquals(classesOf(network), 2);
  assertEquals(given.notes, ["net.onnx is for images of 12x12, these are of 8x9"]);
  assert(given.tensors.has("fc.weight"));
  const { message } = assertThrows(
    () => givenNetwork(read, { ...images, channels: 1 }, "net.onnx"),
    UsageError,
  );
  assertStringIncludes(
    message,
    "Cannot use net.onnx for photos: wanted images of 3 channels, found 1",
  );
});

Deno.test("a state keeps the network of a file, and of none that options describe", () => {
  const { state: { run } } = stateOfRun(["--model", "resnet8"]);
  assertEquals(networkOfRun(run), undefined);
  assertEquals(savedNetwork(undefined), {});
  const { network } = readOnnx(open(), "it", { height: 12, width: 12 });
  assertEquals(networkOfRun({ ...run, ...savedNetwork(network) }), network);
  const broken = { ...run, network: "{}" };
  assertThrows(() => networkOfRun(broken), DataError, "Cannot read the network of the run");
});
