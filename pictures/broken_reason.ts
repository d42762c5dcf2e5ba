import type { PictureKind } from "../data/picture_kind.ts";
import { printable } from "../data/printable.ts";

/** A kind with its article, to go after "found" or a file's name. */
const NAMES: Readonly<Record<PictureKind, string>> = {
  jpeg: "a JPEG picture",
  png: "a PNG picture",
  webp: "a WebP picture",
  gif: "a GIF picture",
  bmp: "a BMP picture",
  avif: "an AVIF picture",
  heif: "a HEIF picture",
  tiff: "a TIFF picture",
};

/** Whether a chunk of a PNG goes beyond the end before its pixels are there. */
function pngEndsEarly(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 8;
  while (at + 12 <= bytes.length) at += 12 + view.getUint32(at);
  return at > bytes.length || at === 8;
}

function endsEarly(kind: PictureKind, bytes: Uint8Array, reason: string): boolean {
  if (/premature end|end of \w+ source|ends? early|end of file/i.test(reason)) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === "png") return pngEndsEarly(bytes);
  return kind === "webp" && bytes.length >= 12 && 8 + view.getUint32(4, true) > bytes.length;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a decoder said, line by line, without its names for itself and for our options. */
function linesOf(reason: string): string[] {
  return reason.replace(/^Input buffer has corrupt header:/, "").split("\n")
    .map((line) => line.trim().replace(/^\w+(?:load_buffer)?: /, ""))
    .filter((line) => line && !/failOn/.test(line))
    .map((line) => /unsupported image format/.test(line) ? "its head is corrupt" : line);
}

/** What libjpeg warns of although all pixels are there. */
const HARMLESS =
  /unknown JFIF revision|Unknown Adobe color transform|extraneous bytes before marker 0xd9/;

/** Whether a JPEG was refused for nothing that changes its pixels. */
export function isHarmless(error: unknown): boolean {
  const lines = linesOf(wordsOf(error));
  return lines.length > 0 && lines.every((line) => HARMLESS.test(line));
}

/** Why a picture of a kind cannot be decoded, to go after the name of its file. */
export function brokenReason(kind: PictureKind, bytes: Uint8Array, error: unknown): string {
  const name = NAMES[kind];
  if (kind === "heif") return `${name}, which is not read: convert it to JPEG`;
  const reason = wordsOf(error);
  if (endsEarly(kind, bytes, reason)) return `${name} that ends early`;
  const [said = "its head is corrupt"] = linesOf(reason);
  return `${name} that cannot be decoded: ${printable(said, 120)}`;
}
