/** Formats of pictures that their first bytes tell apart. */
export const PICTURE_KINDS = [
  "jpeg",
  "png",
  "webp",
  "gif",
  "bmp",
  "avif",
  "heif",
  "tiff",
] as const;

/** One of {@link PICTURE_KINDS}. */
export type PictureKind = typeof PICTURE_KINDS[number];

/** Bytes from the start of a file by which {@link pictureKind} tells its format. */
export const KIND_BYTES = 64;

/** Begins of files: text of one byte a character, from an offset on. */
const SIGNATURES: readonly (readonly [PictureKind, readonly (readonly [number, string])[]])[] = [
  ["jpeg", [[0, "\xff\xd8\xff"]]],
  ["png", [[0, "\x89PNG\r\n\x1a\n"]]],
  ["webp", [[0, "RIFF"], [8, "WEBP"]]],
  ["gif", [[0, "GIF87a"]]],
  ["gif", [[0, "GIF89a"]]],
  ["tiff", [[0, "II*\0"]]],
  ["tiff", [[0, "MM\0*"]]],
  // Files beyond 4 GB.
  ["tiff", [[0, "II+\0"]]],
  ["tiff", [[0, "MM\0+"]]],
];

/** Sizes of the second header of a BMP: "BM" alone begins many a text. */
const BMP_HEADERS: readonly number[] = [12, 16, 40, 52, 56, 64, 108, 124];

/** Brands of files with AV1 pictures, and of others in the same container. */
const AVIF = ["avif", "avis"];
const HEIF = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"];

/** The brands of a file in the ISO base media format; none of other files. */
function brandsOf(text: string, bytes: Uint8Array): string[] {
  if (text.slice(4, 8) !== "ftyp") return [];
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = [text.slice(8, 12)];
  for (let at = 16; at + 4 <= Math.min(size, text.length); at += 4) {
    brands.push(text.slice(at, at + 4));
  }
  return brands;
}

/**
 * The format of a picture by its first bytes, whatever its file is called; nothing where they are
 * those of no picture.
 *
 * @param bytes The file, or its first {@link KIND_BYTES} bytes; fewer where it is shorter.
 */
export function pictureKind(bytes: Uint8Array): PictureKind | undefined {
  const head = bytes.subarray(0, KIND_BYTES);
  const text = String.fromCharCode(...head);
  const found = SIGNATURES.find(([, parts]) =>
    parts.every(([at, part]) => text.startsWith(part, at))
  );
  if (found) return found[0];
  if (text.startsWith("BM") && head.length >= 18) {
    const size = new DataView(head.buffer, head.byteOffset).getUint32(14, true);
    return BMP_HEADERS.includes(size) ? "bmp" : undefined;
  }
  const brands = brandsOf(text, head);
  if (brands.some((brand) => AVIF.includes(brand))) return "avif";
  return brands.some((brand) => HEIF.includes(brand)) ? "heif" : undefined;
}
