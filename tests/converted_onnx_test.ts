// ONNX files of ours that converters have changed: they run, or are refused in a sentence.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ValidationBatches } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { loadRuntime } from "../export/onnx_runtime.ts";
import {
  decodeModel,
  encodeModel,
  type ModelMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from "../export/onnx_schema.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read");
const FLOAT16 = 10;
const FLOAT64 = 11;
const UINT8 = 2;

const { bytes } = encodeOnnx(checkpointOf(NETWORKS["cut out of a ResNet"]), {
  includeNormalization: false,
});

type Graph = ModelMessage["graph"];
type Shape = NonNullable<ValueInfoMessage["type"]["tensorType"]["shape"]>;
type Dim = Shape["dim"][number];

/** The file with another graph. */
function convert(change: (graph: Graph) => Partial<Graph>): Uint8Array {
  const model = decodeModel(bytes);
  return encodeModel({ ...model, graph: { ...model.graph, ...change(model.graph) } });
}

/** A declared tensor with other sizes or of other elements. */
function declare(
  info: ValueInfoMessage,
  { dim, element }: { dim?: (dims: readonly Dim[]) => readonly Dim[]; element?: number },
): ValueInfoMessage {
  const { elemType, shape } = info.type.tensorType;
  const tensorType = {
    elemType: element ?? elemType,
    shape: shape && { dim: dim ? dim(shape.dim) : shape.dim },
  };
  return { ...info, type: { tensorType } };
}

const batchOf = (size: number) => (dims: readonly Dim[]): Dim[] => [
  { dimValue: size },
  ...dims.slice(1),
];

function inFloat16(tensor: TensorMessage): TensorMessage {
  if (tensor.dataType !== 1) return tensor;
  const floats = new Float32Array(Uint8Array.from(tensor.rawData).buffer);
  const rawData = new Uint8Array(Float16Array.from(floats).buffer);
  return { ...tensor, dataType: FLOAT16, rawData };
}

/** A graph whose value of one name has another one. */
function renamed(graph: Graph, from: string, to: string): Partial<Graph> {
  const other = (name: string): string => name === from ? to : name;
  return {
    node: graph.node.map((node) => ({
      ...node,
      input: node.input.map(other),
      output: node.output.map(other),
    })),
    input: graph.input.map((info) => ({ ...info, name: other(info.name) })),
    output: graph.output.map((info) => ({ ...info, name: other(info.name) })),
  };
}

const fixed = (size: number) =>
  convert(({ input, output }) => ({
    input: input.map((info) => declare(info, { dim: batchOf(size) })),
    output: output.map((info) => declare(info, { dim: batchOf(size) })),
  }));

const CONVERTED: Readonly<Record<string, Uint8Array>> = {
  "of one image at a time": fixed(1),
  "of four images at a time": fixed(4),
  "with another name for its input": convert((graph) => renamed(graph, "image", "x")),
  "with another name for its output": convert((graph) => renamed(graph, "logits", "y")),
  "in float16": convert(({ input, output, initializer }) => ({
    input: input.map((info) => declare(info, { element: FLOAT16 })),
    output: output.map((info) => declare(info, { element: FLOAT16 })),
    initializer: initializer.map(inFloat16),
  })),
};

/** Logits of seven images, in batches of five and two. */
async function logitsOf(file: Uint8Array): Promise<number[]> {
  const session = await OnnxSession.open(file, "it");
  try {
    const all: number[] = [];
    for (const batch of new ValidationBatches({ dataset: images(7), batch: 5 })) {
      all.push(...await session.logits(batch));
    }
    assert(
      await session.latency([...new ValidationBatches({ dataset: images(1), batch: 1 })][0], 1) > 0,
    );
    return all;
  } finally {
    await session.close();
  }
}

for (const [what, file] of Object.entries(CONVERTED)) {
  Deno.test(`a file ${what} gives the same logits`, { ignore }, async () => {
    const [wanted, found] = [await logitsOf(bytes), await logitsOf(file)];
    assertEquals(found.length, wanted.length);
    const largest = Math.max(...wanted.map(Math.abs));
    const tolerance = what === "in float16" ? 2e-2 * largest : 1e-5;
    wanted.forEach((value, i) => assert(Math.abs(value - found[i]) <= tolerance, `${found[i]}`));
  });
}

const channelsLast = (dims: readonly Dim[]): Dim[] => [dims[0], dims[2], dims[3], dims[1]];

const REFUSED: Readonly<Record<string, [Uint8Array, string]>> = {
  "of images of other sizes": [
    convert(({ input }) => ({ input: input.map((info) => declare(info, { dim: channelsLast })) })),
    "wanted an input of [batch, 3, ",
  ],
  "of whole numbers": [
    convert(({ input }) => ({ input: input.map((info) => declare(info, { element: UINT8 })) })),
    "",
  ],
  "with half of its types changed": [
    convert(({ input }) => ({ input: input.map((info) => declare(info, { element: FLOAT64 })) })),
    "onnxruntime-web says ",
  ],
  "with two inputs of other names": [
    convert((graph) => {
      const { node = [], input = [], ...rest } = renamed(graph, "image", "x");
      return { ...rest, node, input: [...input, { ...input[0], name: "y" }] };
    }),
    "wanted an input called image, or a single one, found x, y",
  ],
};

for (const [what, [file, why]] of Object.entries(REFUSED)) {
  Deno.test(`a file ${what} is refused in a sentence`, { ignore }, async () => {
    const { message } = await assertRejects(() => logitsOf(file), DataError);
    assertStringIncludes(message, "it: ");
    assertStringIncludes(message, why);
    assert(message.length < 500 && !message.includes("\n"), message);
  });
}

Deno.test("a model that is not ours is told so", { ignore }, async () => {
  const model = decodeModel(bytes);
  const file = encodeModel({ ...model, metadataProps: [] });
  const { message } = await assertRejects(() => OnnxSession.open(file, "it"), DataError);
  assertEquals(
    message,
    "Cannot load it: wanted an ONNX model exported by adjoin, found one without its metadata, " +
      "which say what pixels it takes; export it anew, with a converter that keeps metadata",
  );
});

Deno.test("a runtime that cannot be fetched is told in a sentence", async () => {
  const { message } = await assertRejects(
    () => loadRuntime("data:text/javascript,throw 1"),
    DataError,
  );
  assertStringIncludes(message, "which is fetched when it is first needed, found no way to: run ");
  const unlocked = "data:text/javascript,throw new Error('The lockfile is out of date.')";
  const error = await assertRejects(() => loadRuntime(unlocked), DataError);
  assertStringIncludes(
    error.message,
    "found a lock file without it: add --lock=packages.lock, or ",
  );
});
