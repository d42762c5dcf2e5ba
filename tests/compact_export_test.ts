import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { EXIT } from "../cli/exit.ts";
import { type CompactOptions, compactText, exportCompact } from "../cli/export_compact.ts";
import { predict } from "../cli/predict.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import type { FoundClass } from "../train/classifier.ts";
import { encode, noise } from "./made_pictures.ts";
import { DataError } from "../data/error.ts";
import { decodeMetadata } from "../export/onnx_schema.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { VerificationError } from "../train/errors.ts";
import { adjoinCommand } from "./command.ts";
import { statOf } from "../cli/run/replacing.ts";
import { withFolder } from "./folder.ts";
import { writeLossyRun } from "./lossy_run.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");

const options: Omit<CompactOptions, "run"> = {
  format: "onnx",
  includeNormalization: false,
  overwrite: false,
  calibration: "percentile",
  calibrationImages: 5,
  maxDrop: 1,
};

function metadataOf(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(decodeMetadata(bytes).map(({ key, value }) => [key, value]));
}

function test(name: string, fn: (run: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () =>
    withFolder(async (dir) => {
      await writeLossyRun(dir);
      await fn(dir);
    }));
}

test("an export in integers that loses too much saves nothing, and loses nothing", async (run) => {
  const file = `${run}/small.int8.onnx`;
  const refused = await assertRejects(
    () => exportCompact("int8", { ...options, run, maxDrop: 49.9 }),
    VerificationError,
    "Cannot export the small network in int8: wanted top-1 to fall by at most 49.9 points, found " +
      "50, from 100.0 % to 50.0 % of 8 images; nothing was written; try another --calibration",
  );
  assert(!refused.message.includes("\n") && statOf(file) === undefined);
  await Deno.writeTextFile(file, "mine");
  const args = ["export", run, "--int8", "--overwrite"];
  const { code, out, error } = await adjoinCommand(args);
  assertEquals([code, out], [EXIT.verification, ""], error);
  assertStringIncludes(error, "adjoin: Cannot export the small network in int8: wanted top-1");
  assertEquals(await Deno.readTextFile(file), "mine");
  assertEquals([...Deno.readDirSync(run)].length, 5);
});

test("a file of integers says what it is, and how it compares with that of floats", async (run) => {
  const report = await exportCompact("int8", { ...options, run, maxDrop: 50 });
  const { output, float32, compact, images, agreement } = report;
  assertEquals([output, float32.top1, compact.top1], [`${run}/small.int8.onnx`, 1, 0.5]);
  assertEquals([images, agreement, compact.fileBytes], [8, 0.5, Deno.statSync(output).size]);
  assert(float32.latency > 0 && compact.latency > 0);
  const bytes = await Deno.readFile(output);
  const { precision, calibration, calibration_images, quantization, top1 } = metadataOf(bytes);
  assertEquals([precision, calibration, calibration_images], ["int8", "percentile", "5"]);
  assertEquals(top1, "0.5");
  assertStringIncludes(quantization, "symmetric weights of int8 for each output channel");
  const lines = compactText(report).split("\n");
  assertEquals(
    lines[0],
    `${output}: 8-bit integers, calibrated by percentile on 5 training images`,
  );
  assertMatch(lines[1], /^ +top-1 +file +ms for one image$/);
  assertMatch(lines[2], /^float32 +100\.0 % .*B +[\d.e-]+$/);
  assertMatch(lines[3], /^int8 +50\.0 % .*B +[\d.e-]+$/);
  assertMatch(lines[4], /^50\.0 % same class over 8 images; in onnxruntime-web /);
  assertThrows(
    () => readOnnx(bytes, "small.int8.onnx"),
    DataError,
    "Cannot read small.int8.onnx: wanted a network of float32, found ",
  );
  const { code, out } = await adjoinCommand(["eval", output, "--json"]);
  const measured = JSON.parse(out);
  assertEquals([code, measured.top1, measured.which], [EXIT.ok, 0.5, "small"]);
  // What predict says of a picture is what the file says of it.
  const picture = `${run}/picture.png`;
  await Deno.writeFile(picture, await encode(noise(4, 4, 3), "png"));
  let text = "";
  const asked = {
    run: output,
    pictures: [picture],
    top: 2,
    batchSize: 1,
    json: true,
    quiet: false,
  };
  const said = { print: (part: string) => void (text += part), printError: () => {} };
  assertEquals((await predict(asked, said)).broken, 0);
  const [{ predictions }] = JSON.parse(text);
  assertEquals(predictions.map((found: FoundClass) => found.class).toSorted(), ["0", "1"]);
});

test("of several networks, one that loses too much keeps no other from being written", async (run) => {
  const lossy = await Deno.readFile(`${run}/small.safetensors`);
  const { network, state, ...info } = parseCheckpoint(lossy, "small");
  const whole = new Map([...state, ["both.bias", new Float32Array(2)]]);
  await Deno.writeFile(
    `${run}/small-2.safetensors`,
    encodeCheckpoint(network, state, { ...info, which: "small-2" }),
  );
  await Deno.writeFile(
    `${run}/small-4.safetensors`,
    encodeCheckpoint(network, whole, { ...info, which: "small-4" }),
  );
  await Deno.remove(`${run}/small.safetensors`);
  const { code, out, error } = await adjoinCommand(["export", run, "--int8"]);
  assertEquals(code, EXIT.verification, error);
  assertStringIncludes(error, "adjoin: Cannot export the network small-2 in int8: wanted top-1");
  assert(out.startsWith(`${run}/small-4.int8.onnx: 8-bit integers`), out);
  assert(statOf(`${run}/small-4.int8.onnx`) && !statOf(`${run}/small-2.int8.onnx`));
});

test("a file with weights of 16 bits is not trained from, and all images calibrate", async (run) => {
  const { output, compact } = await exportCompact("fp16", { ...options, run, maxDrop: 0 });
  assertEquals([output, compact.top1], [`${run}/small.fp16.onnx`, 1]);
  const bytes = await Deno.readFile(output);
  assertEquals([metadataOf(bytes).precision, metadataOf(bytes).calibration], ["fp16", undefined]);
  assertThrows(
    () => readOnnx(bytes, output),
    DataError,
    "wanted a network of float32, found one of fp16; take the file of float32",
  );
  const most = { ...options, run, calibrationImages: 1000, maxDrop: 100 };
  const { calibrated } = await exportCompact("int8", most);
  assertEquals(calibrated, "calibrated by percentile on 8 training images");
  // Those that the run was not trained on are not calibrated on.
  const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
  await Deno.writeTextFile(`${run}/config.json`, JSON.stringify({ ...config, trainSize: 3 }));
  const fewer = await exportCompact("int8", { ...most, overwrite: true });
  assertEquals(fewer.calibrated, "calibrated by percentile on 3 training images");
});
