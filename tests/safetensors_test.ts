import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import {
  encodeSafetensors,
  isFloat,
  parseSafetensors,
  type TensorToStore,
} from "../data/safetensors.ts";
import { assertTakesLess } from "./least_cost.ts";

/** A file with the given header and as many bytes of data, each of them 0. */
function file(header: string, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** A file whose only tensor holds the given bytes. */
function single(dtype: string, shape: number[], data: number[]): Uint8Array {
  const header = JSON.stringify({ x: { dtype, shape, data_offsets: [0, data.length] } });
  const bytes = file(header, data.length);
  bytes.set(data, bytes.length - data.length);
  return bytes;
}

function refuses(bytes: Uint8Array, ...texts: string[]): void {
  const { message } = assertThrows(() => parseSafetensors(bytes, "net.safetensors"), DataError);
  for (const text of ["net.safetensors", ...texts]) assertStringIncludes(message, text);
  assert(message.endsWith("."), message);
}

Deno.test("parseSafetensors() gives back what encodeSafetensors() wrote", () => {
  const tensors = new Map<string, TensorToStore>([
    ["weight", { shape: [2, 3], data: new Float32Array([1, -2, 3.5, 0, NaN, -Infinity]) }],
    ['größe "9"', { shape: [], data: new Float64Array([Math.PI]) }],
    ["7", { shape: [3], data: new Int32Array([1, -1, 2 ** 31 - 1]) }],
    ["labels", { shape: [2], data: new BigInt64Array([-1n, 2n ** 62n]) }],
    ["pixels", { shape: [1, 3], data: new Uint8Array([0, 128, 255]) }],
    ["none", { shape: [0, 4], data: new Float32Array(0) }],
    ["small", { shape: [1], data: new Int8Array([-5]) }],
    ["wide", { shape: [2], data: new Uint16Array([1, 65535]) }],
  ]);
  const bytes = encodeSafetensors(tensors, { epoch: "3", note: "a\nb" });
  const read = parseSafetensors(bytes);
  assertEquals(read.metadata, { epoch: "3", note: "a\nb" });
  assertEquals(new Set(read.tensors.keys()), new Set(tensors.keys()));
  for (const [name, { shape, data }] of tensors) {
    assertEquals(read.tensors.get(name)?.shape, shape);
    assertEquals(read.tensors.get(name)?.data, data);
  }
});

Deno.test("encodeSafetensors() writes the bytes of the format", () => {
  const bytes = encodeSafetensors([["a", { shape: [1], data: new Float32Array([1]) }]], { k: "v" });
  const header = '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
  assertEquals(new DataView(bytes.buffer).getBigUint64(0, true), BigInt(padded.length));
  assertEquals(new TextDecoder().decode(bytes.subarray(8, 8 + padded.length)), padded);
  assertEquals([...bytes.subarray(8 + padded.length)], [0, 0, 0x80, 0x3f]);
});

Deno.test("encodeSafetensors() gives the same bytes for the same input, and again after reading", () => {
  const tensors: [string, TensorToStore][] = [
    ["b", { shape: [3], data: new Float32Array([1, 2, 3]) }],
    ["a", { shape: [1], data: new Int32Array([7]) }],
  ];
  const once = encodeSafetensors(tensors, { m: "1" });
  assertEquals(encodeSafetensors(new Map(tensors), { m: "1" }), once);
  const read = parseSafetensors(once);
  assertEquals(encodeSafetensors(read.tensors, read.metadata), once);
});

Deno.test("encodeSafetensors() writes only the part of a buffer that a view covers", () => {
  const view = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const { tensors } = parseSafetensors(encodeSafetensors([["v", { shape: [2], data: view }]]));
  assertEquals(tensors.get("v")?.data, new Float32Array([1, 2]));
});

Deno.test("parseSafetensors() reads at any offset, and its tensors are copies", () => {
  const bytes = encodeSafetensors([["x", { shape: [2], data: new Float32Array([1, 2]) }]]);
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  const { tensors } = parseSafetensors(moved.subarray(3));
  moved.fill(0);
  assertEquals(tensors.get("x")?.data, new Float32Array([1, 2]));
});

Deno.test("parseSafetensors() widens half floats", () => {
  // 1, -2, the largest, the smallest subnormal, -0, infinity
  const half = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00].flatMap((v) => [v & 255, v >> 8]);
  const wide = parseSafetensors(single("F16", [6], half)).tensors.get("x")?.data;
  assertEquals(wide, new Float32Array([1, -2, 65504, 2 ** -24, -0, Infinity]));
  const nan = parseSafetensors(single("F16", [1], [1, 0x7e])).tensors.get("x")?.data;
  assertEquals(nan, new Float32Array([NaN]));
  const brain = [0x3f80, 0xc000, 0x4049, 0xff80].flatMap((v) => [v & 255, v >> 8]);
  const data = parseSafetensors(single("BF16", [2, 2], brain)).tensors.get("x")?.data;
  assertEquals(data, new Float32Array([1, -2, 3.140625, -Infinity]));
});

Deno.test("parseSafetensors() refuses a file that is cut off", () => {
  refuses(new Uint8Array(5), "8 bytes", "5 bytes");
  refuses(file("{}").subarray(0, 9), "2 bytes", "only 1");
  refuses(new Uint8Array(8).fill(255), "18446744073709551615 bytes", "only 0");
  refuses(file("{}").subarray(0, 8), "its header takes 2 bytes");
  const whole = encodeSafetensors([["x", { shape: [2], data: new Float32Array(2) }]]);
  refuses(whole.subarray(0, whole.length - 1), '"x"', "within the 7 bytes", "[0,8]");
});

Deno.test("parseSafetensors() refuses a header that it does not understand", () => {
  refuses(file("{x"), "must be JSON");
  refuses(file("[1]"), "JSON object", "5b 31 5d");
  refuses(file('{"__metadata__":{"a":1}}'), '"a"', "string", "1");
  refuses(file('{"__metadata__":"a"}'), "map strings to strings");
  refuses(file('{"x":3}'), '"x"', "data_offsets", "3");
  refuses(file('{"x":{"dtype":8,"shape":[1],"data_offsets":[0,1]}}', 1), '"x"', "F32", "found 8.");
  refuses(single("toString", [1], [0]), '"x"', '"toString"');
  refuses(single("F32", [-1], [0]), '"x"', "whole numbers", "[-1]");
  refuses(file('{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}', 1), "[begin, end]");
});

Deno.test("parseSafetensors() takes the framing for more than what a file begins with", () => {
  const wanted = new Float32Array([3]);
  const whole = encodeSafetensors([["x", { shape: [1], data: wanted }]]);
  const header = new TextDecoder().decode(whole.subarray(8, whole.length - 4));
  // Lengths whose low bytes are those of a pickle, a zip archive, gzip and an ONNX model.
  for (const length of [0x80, 0x0280, 0x4b50, 0x8b1f, 0x120308]) {
    const bytes = file(header.padEnd(length), 4);
    bytes.set(whole.subarray(whole.length - 4), bytes.length - 4);
    assertEquals(parseSafetensors(bytes).tensors.get("x")?.data, wanted);
    // Nor is one that is cut off called anything else.
    refuses(bytes.subarray(0, 100), `its header takes ${length} bytes`);
  }
});

Deno.test("parseSafetensors() keeps elements of other types as bytes", () => {
  for (const dtype of ["F8_E4M3", "F8_E5M2", "U64", "C64", "F4", "NEW_9"]) {
    const { tensors } = parseSafetensors(single(dtype, [2], [7, 9]));
    assertEquals(tensors.get("x"), { dtype, shape: [2], data: new Uint8Array([7, 9]) });
    assert(!isFloat(dtype));
  }
});

Deno.test("messages of parseSafetensors() are bounded, and quickly there", async () => {
  const long = 200_000;
  const brackets = "[".repeat(long) + "]".repeat(long);
  const bad = [
    file(`{"x":${brackets}}`),
    file(`{"__metadata__":{"a":${brackets}}}`),
    file(`{"__metadata__":${brackets}}`),
    file(`{"x":{"dtype":"${"F".repeat(10 * long)}","shape":[],"data_offsets":[0,1]}}`),
    file(`{"x":{"dtype":"F32","shape":${brackets},"data_offsets":[0,1]}}`),
    file(`{"x":{"dtype":"U8","shape":[${"1,".repeat(long)}1],"data_offsets":[0,0]}}`),
    file(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[${"1,".repeat(long)}1]}}`),
    file(`{"${"k".repeat(10 * long)}":1}`),
    file(`{"${"k".repeat(10 * long)}"`),
    file("{" + "[".repeat(long)),
  ];
  for (const bytes of bad) {
    await assertTakesLess({ milliseconds: 1000 }, () => {
      const { message } = assertThrows(() => parseSafetensors(bytes, "n".repeat(long)), DataError);
      assert(message.length < 1000, `${message.length} characters`);
    });
  }
  const { message } = assertThrows(
    () => parseSafetensors(file(JSON.stringify({ "\x1b[2J\u202e": 1 })), "a\x1bb"),
    DataError,
  );
  assertStringIncludes(message, String.raw`Cannot read a\x1bb as the tensor "\x1b[2J\u{202e}"`);
});

Deno.test("parseSafetensors() refuses a size that is not that of the shape", () => {
  refuses(single("F32", [2, 3], new Array(20).fill(0)), '"x"', "24 bytes for F32 [2,3]", "20");
});

Deno.test("parseSafetensors() refuses tensors that overlap or leave bytes unused", () => {
  const two = (begin: number, end: number) =>
    JSON.stringify({
      a: { dtype: "U8", shape: [4], data_offsets: [0, 4] },
      b: { dtype: "U8", shape: [end - begin], data_offsets: [begin, end] },
    });
  refuses(file(two(3, 6), 6), '"b"', "overlaps", "byte 4", "at 3");
  refuses(file(two(5, 8), 8), '"b"', "hole", "byte 4", "at 5");
  refuses(file(two(4, 6), 7), "take 6 bytes", "has 7");
  assertEquals(parseSafetensors(file(two(4, 6), 6)).tensors.size, 2);
});

Deno.test("encodeSafetensors() refuses shapes and names that cannot be read back", () => {
  const data = new Float32Array(4);
  assertThrows(() => encodeSafetensors([["x", { shape: [3], data }]]), TypeError, "4 elements");
  assertThrows(() => encodeSafetensors([["x", { shape: [-2, -2], data }]]), TypeError, "[-2,-2]");
  const one = { shape: [4], data };
  assertThrows(() => encodeSafetensors([["x", one], ["x", one]]), TypeError, "unique");
  assertThrows(() => encodeSafetensors([["__metadata__", one]]), TypeError, "__metadata__");
});
