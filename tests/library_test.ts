// train(), search(), evaluate(), predict() and exportOnnx(), as users call them.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CostSum,
  encodeCheckpoint,
  evaluate,
  exportOnnx,
  generatedSplit,
  Gpu,
  network,
  predict,
  type RunEvent,
  search,
  StoppedError,
  train,
  UsageError,
  widthCost,
} from "../mod.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { NoAdapterError } from "../kernels/gpu.ts";
import { standIn } from "../kernels/gpu/stand_in.ts";

const data = generatedSplit({ train: 32, validation: 20, size: 12, seed: 1 });
const tiny = { data, epochs: 2, batchSize: 16 } as const;

/** A network that trains in no time. */
const own = network({ channels: 3 }, (n) => {
  n.stage(0);
  let x = n.conv2d(n.image, { name: "conv1", out: 4, kernel: 3, stride: 2 });
  x = n.relu(n.batchNorm(x, { name: "bn1" }));
  n.stage(1);
  x = n.conv2d(x, { name: "conv2", out: 8, kernel: 3, stride: 2 });
  x = n.relu(n.batchNorm(x, { name: "bn2" }));
  n.linear(n.globalAvgPool2d(x), { name: "fc", out: 10 });
});

const gpu = await Gpu.open();
/** Everything here on one GPU, which stays open. */
const settings = { ...tiny, model: own, maskFrom: 1, compression: 2, gpu } as const;
const trained = train(settings);
const epochs: number[] = [];
for await (const { epoch, validation } of trained) {
  epochs.push(epoch);
  assert(validation.base !== undefined && validation.small !== undefined);
}
const { networks, verification, files, summary } = await trained;

Deno.test("a training is iterated over for its epochs and awaited for its networks", () => {
  assertEquals(epochs, [1, 2]);
  const { base, small } = networks;
  assertEquals([base.which, small.which], ["base", "small"]);
  assertEquals(small.top1, summary.small?.top1);
  assertEquals(small.state.get("conv2.weight")?.length, 4 * 9 * 4);
  assertEquals(verification.small?.images, 20);
  assertEquals([summary.model, summary.dataset], ["network", "generated"]);
  const { network, state, ...info } = small;
  assertEquals(files.get("small.safetensors"), encodeCheckpoint(network, state, info));
});

Deno.test("a network of a training is measured, asked and exported", async () => {
  const bytes = files.get("small.safetensors") ?? new Uint8Array();
  const found = await evaluate(bytes, data.validation, { gpu, batchSize: 8 });
  assertEquals([found.top1, found.images], [networks.small.top1, 20]);
  assertEquals(found.confusion.flat().reduce((a, b) => a + b), 20);
  assertEquals(await evaluate(networks.small, data.validation, { gpu, batchSize: 8 }), found);
  const { height, width, channels, pixels } = data.validation;
  const picture = { height, width, channels, pixels: pixels.subarray(0, height * width * 3) };
  const [one] = await predict(networks.small, [picture, picture], { gpu, top: 2 });
  assertEquals(one.length, 2);
  assertEquals(await predict(bytes, picture, { gpu, top: 2 }), one);
  assertEquals(await predict(bytes, [], { gpu }), []);
  const onnx = exportOnnx(bytes, { includeNormalization: true });
  assertEquals(readOnnx(onnx, "it").network.layers.length > 0, true);
  const half = exportOnnx(networks.small, { precision: "fp16" });
  assert(half.length < onnx.length);
  const other = generatedSplit({ train: 1, validation: 10, size: 14, seed: 0 }).validation;
  await assertRejects(() => evaluate(bytes, other, { gpu }), UsageError, "14x14x3");
});

Deno.test("leaving the loop stops a training and frees what it had on the GPU", async () => {
  const before = gpu.live();
  const run = train({ ...settings, epochs: 1000 });
  for await (const event of run.events()) if (event.kind === "epoch") break;
  await assertRejects(async () => await run, StoppedError);
  assertEquals(gpu.live(), before);
  {
    await using scoped = train({ ...settings, epochs: 1000 });
    for await (const { epoch } of scoped) {
      assertEquals(epoch, 1);
      await scoped.stop();
      break;
    }
  }
  assertEquals(gpu.live(), before);
});

Deno.test("a training that a signal stops goes on where it was", async () => {
  const stop = new AbortController();
  const run = train({ ...settings, signal: stop.signal });
  const kinds = new Set<RunEvent["kind"]>();
  const error = await assertRejects(async () => {
    for await (const event of run.events()) {
      kinds.add(event.kind);
      if (event.kind === "epoch") stop.abort();
    }
  }, DOMException);
  assertEquals(error, stop.signal.reason);
  assert(["start", "work", "note", "epoch"].every((kind) => kinds.has(kind as "start")));
  await assertRejects(async () => await run, DOMException);
  const from = await run.checkpoint();
  const again = train({ ...settings, from });
  const rest: number[] = [];
  for await (const { epoch } of again) rest.push(epoch);
  assertEquals(rest, [2]);
  assertEquals((await again).files.get("small.safetensors"), files.get("small.safetensors"));
  assertThrows(() => train({ ...settings, lr: 0.5, from }), RangeError, "has lr 0.004, found 0.5");
  const aborted = train({ ...settings, signal: AbortSignal.abort("why") });
  assertEquals(await aborted.then(() => 0, (reason) => reason), "why");
});

Deno.test("several small networks and other modes have the names of their networks", async () => {
  const { networks } = await train({ ...settings, epochs: 1, compression: [2, 4] });
  assertEquals(Object.keys(networks), ["base", "small-2", "small-4"]);
  assertEquals(networks["small-2"].which, "small-2");
  const { networks: { base } } = await train({
    ...{ ...tiny, model: own, gpu, epochs: 1 },
    mode: "plain",
  });
  const { networks: { small } } = await train({
    ...{ ...tiny, model: own, maskFrom: 1, gpu, epochs: 1 },
    mode: "distill",
    teacher: base,
  });
  assertEquals([base.which, small.which], ["base", "small"]);
});

Deno.test("a search keeps to a budget of what is counted, or of a cost of one's own", async () => {
  const asked = { ...{ ...tiny, model: own, maskFrom: 1, gpu, epochs: 1 }, searchEpochs: 2 };
  const counted = await search({ ...asked, budgetMacs: 0.8, searchLr: 1 });
  const { small } = counted.networks;
  assert(counted.widths.small.found <= 0.8);
  const width = counted.widths.small.widths.conv2;
  assertEquals(small.state.get("conv2.weight")?.length, 4 * 9 * Number(width));
  const { widths } = await search({
    ...{ ...asked, epochs: undefined },
    // Filters, wherever they are.
    cost: ({ base, groups }) => {
      const sum = new CostSum(groups);
      groups.extents.forEach((extent, i) => {
        if (base.layers[i].kind === "conv2d") sum.addProduct(1 / 12, extent);
      });
      return sum;
    },
    budget: [0.7, 0.5],
    widthsOnly: true,
  });
  assertEquals(Object.keys(widths), ["small-0.7", "small-0.5"]);
  assertAlmostEquals(widths["small-0.5"].found, 0.5);
  assertEquals(widths["small-0.5"].widths, { conv2: 2 });
  const cost = (): ReturnType<typeof widthCost> => ({
    constant: 0,
    singles: new Float64Array(1),
    pairs: new Float64Array(1),
  });
  await assertRejects(
    async () => await search({ ...asked, cost, budget: 0.5 }),
    TypeError,
    "wanted a cost of 4 gates and 16 pairs",
  );
});

Deno.test("options that cannot be used are refused at once, by their names", () => {
  const cases: [Record<string, unknown>, typeof TypeError | typeof RangeError, string][] = [
    [{ epohcs: 3 }, TypeError, "epohcs is no option of train(); did you mean epochs?"],
    [{ dataDir: "photos" }, TypeError, "dataDir is no option of train()"],
    [{ epochs: 0 }, RangeError, "epochs is a whole number at least 1, found 0"],
    [{ epochs: "3" }, TypeError, 'epochs is a whole number at least 1, found "3"'],
    [{ lr: NaN }, RangeError, "lr is a number above 0, found NaN"],
    [{ lr: 1e-40 }, RangeError, "lr is a number above 0"],
    [{ opt: "adam" }, RangeError, 'opt is sgd or adamw, found "adam"; did you mean adamw?'],
    [{ compression: [2, 2] }, RangeError, "up to 8 different ones, found [2,2]"],
    [{ scale: [0.5] }, RangeError, "2 ascending numbers above 0 and at most 1, found [0.5]"],
    [{ nesterov: 1 }, TypeError, "nesterov is true or false, found 1"],
    [{ aa: "autoaugment" }, RangeError, "aa is rand-m"],
    [{ gradAccumSteps: 0 }, RangeError, "a whole number from 1 on, or auto"],
    [
      { sched: "step", epochs: 2, warmupEpochs: 3 },
      RangeError,
      "warmupEpochs is at most epochs 2, found 3",
    ],
    [{ sandwich: 1 }, RangeError, "found one; name more with compression"],
    [{ importance: "l1" }, RangeError, "importance has an effect with init or a model in a file"],
    [
      { mode: "plain", which: "small", compression: [2, 4] },
      RangeError,
      "found 2 beside mode plain",
    ],
    [{ nesterov: true }, RangeError, "nesterov goes with opt sgd, found adamw"],
    [{ mode: "plain", compression: 2 }, RangeError, "no effect beside mode plain which base"],
    [{ remode: "const" }, RangeError, "remode has an effect with reprob alone, found 0"],
    [{ model: "resnet9" }, RangeError, "did you mean resnet8?"],
  ];
  for (const [wrong, type, words] of cases) {
    const error = assertThrows(() => train({ ...tiny, ...wrong }), type);
    assertStringIncludes(error.message, words);
  }
  assertThrows(
    () => search({ ...tiny }),
    TypeError,
    "budgetMacs, budgetParams or cost with budget",
  );
  assertThrows(() => search({ ...tiny, budgetMacs: 1, budgetParams: 1 }), TypeError, "found");
  assertThrows(
    () => search({ ...tiny, budgetMacs: 0.5, temperature: 1, endTemperature: 2 }),
    RangeError,
    "Cannot search: endTemperature is at most temperature 1, found 2",
  );
});

Deno.test("what JavaScript leaves out is named", async () => {
  // As a program without types would have it.
  const [nothing, empty]: readonly never[] = JSON.parse("[null, {}]");
  for (const wrong of [nothing, empty, { ...tiny, data: nothing }]) {
    assertThrows(() => train(wrong), TypeError, "wanted ");
    assertThrows(() => search(wrong), TypeError, "wanted ");
  }
  const half = { train: data.train, validation: data.validation };
  assertThrows(
    () => train({ ...tiny, data: half as typeof data }),
    TypeError,
    "wanted data with train, validation and normalization, found one with train, validation",
  );
  const wanted = "Cannot use the network: wanted a network with its weights";
  for (const wrong of [nothing, empty]) assertThrows(() => exportOnnx(wrong), TypeError, wanted);
  await assertRejects(() => evaluate(nothing, data.validation), TypeError, wanted);
  await assertRejects(() => evaluate(networks.small, nothing), TypeError, "wanted a set of images");
  const picture = { height: 1, width: 1, channels: 3, pixels: new Uint8Array(3) } as const;
  await assertRejects(() => predict(nothing, picture), TypeError, wanted);
  await assertRejects(() => predict(networks.small, nothing), TypeError, "wanted pixels or a list");
});

Deno.test("a run opens its device from the implementation of WebGPU that it is given", async () => {
  let asked = 0;
  const webgpu = standIn<GPU>({ requestAdapter: () => Promise.resolve(void asked++) });
  await assertRejects(() => train({ ...tiny, webgpu }), NoAdapterError);
  await assertRejects(() => search({ ...tiny, budgetMacs: 0.8, webgpu }), NoAdapterError);
  assertEquals(asked, 2);
});
