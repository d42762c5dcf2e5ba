import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { hexOf, otherFormat } from "../data/file_format.ts";
import { parseSafetensors } from "../data/safetensors.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.padEnd(600, "\0"), (character) => character.charCodeAt(0));
}

/** The first member of a zip archive. */
function zip(name: string): string {
  return "PK\x03\x04" + "\0".repeat(22) + String.fromCharCode(name.length, 0, 0, 0) + name;
}

const FORMATS: readonly (readonly [content: string, name: string, cure: string])[] = [
  [zip("archive/data.pkl"), "a file of torch.save", "safetensors.torch.save_file(torch.load("],
  [
    "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
    "a file of torch.save",
    "safetensors.torch.save_file",
  ],
  [zip("w.npy"), "a file of numpy.savez", "safetensors.numpy.save_file(dict(numpy.load("],
  [zip("metadata.json"), "a model of Keras", "PyTorch's layout"],
  [zip("readme.txt"), "a zip archive", "unpack it first"],
  ["\x80\x04\x95", "a pickle of Python", "safetensors.torch.save_file"],
  ["\x93NUMPY\x01\0", "an array of NumPy", "safetensors.numpy.save_file"],
  ["\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras has them", "PyTorch's layout"],
  ["\x1f\x8b\x08\0", "a gzip file", "unpack it first"],
  ["(\xb5/\xfd", "a zstd file", "unpack it first"],
  ["\xfd7zXZ\0", "an xz file", "unpack it first"],
  ["BZh91AY", "a bzip2 file", "unpack it first"],
  ["a".padEnd(257, "\0") + "ustar", "a tar archive", "unpack it first"],
  ["<!DOCTYPE html><html>", "a web page", "download the file itself again"],
  ["\xef\xbb\xbf\n <html lang='en'>", "a web page", "download the file itself again"],
  ["<?xml version='1.0'?><Error>", "XML", "download the file itself again"],
  ["version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "git lfs pull"],
  ['{"metadata":{},"weight_map":{}}', "the index of weights in several files", "join them"],
  ['{"layer1": 8}', "JSON", ""],
  ["GGUF\x03", "a GGUF file", ""],
  ["\x1c\0\0\0TFL3", "a TFLite model", ""],
  ["\x08\x08\x12\x07pytorch", "an ONNX model", "as safetensors"],
  ["\x89PNG\r\n", "a PNG picture", "many pictures in one file"],
  ["\xff\xd8\xff\xe0", "a JPEG picture", "many pictures in one file"],
  ["# Notes\n\nWhat there is.".padEnd(600), "a text", ""],
];

for (const [content, name, cure] of FORMATS) {
  Deno.test(`${name} (${hexOf(bytesOf(content), 4)}) is named where safetensors are wanted`, () => {
    assertEquals(otherFormat(bytesOf(content))?.name, name);
    const { message } = assertThrows(() => parseSafetensors(bytesOf(content), "w"), DataError);
    assertStringIncludes(message, `Cannot read w: wanted safetensors, found ${name}`);
    assertStringIncludes(message, cure);
  });
}

Deno.test("a checkpoint of a run and a network are told apart where neither is wanted", () => {
  const begin = "\x40\x90\0\0\0\0\0\0";
  const state = `${begin}{"__metadata__":{"format":"adjoin training state","version":"1"`;
  assertEquals(otherFormat(bytesOf(state))?.name, "a checkpoint of a run");
  for (const text of ['{"__metadata__":{"format":"pt"', '{"conv1.weight":{"dtype"']) {
    assertEquals(otherFormat(bytesOf(begin + text))?.name, "a safetensors file");
  }
});

Deno.test("an empty file is named, and what is not known is not", () => {
  assertEquals(otherFormat(new Uint8Array())?.name, "an empty file");
  for (const content of ["\0\0\x08\x03", "hello", "PK", "\x80", "{x}"]) {
    assertEquals(otherFormat(bytesOf(content)), undefined, content);
  }
});
