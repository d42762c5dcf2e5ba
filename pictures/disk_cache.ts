import { dirname } from "node:path";
import type { Picture } from "../data/picture.ts";
import type { Preparation } from "../data/preparation.ts";

/** The first bytes of an entry; another form of entries, or other pixels of a decoder, get others. */
const MAGIC = new TextEncoder().encode("adjoin picture 1");

/** Bytes before the pixels: the magic, then height, width, channels and the checksum of the pixels. */
const HEADER = MAGIC.length + 16;

/** Days after which what nobody has asked for is removed. */
const KEPT_DAYS = 30;

/** What an entry is known by. */
interface Keyed {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** When the file was last changed. */
  readonly mtime: Date | null;
  readonly preparation: Preparation;
}

async function digest(key: readonly unknown[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(key));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).slice(0, 16).toHex();
}

/** The entry of a file in the folder of a cache: another one if the file has changed. */
export async function entryOf(
  cache: string,
  { path, size, mtime, preparation }: Keyed,
): Promise<string> {
  return `${cache}/${await digest([path, size, mtime?.getTime(), preparation])}`;
}

/** FNV-1a over 32-bit words, and the bytes behind the last of them. */
function checksum(pixels: Uint8Array): number {
  let sum = 0x811c9dc5;
  const words = pixels.length >> 2;
  const view = new DataView(pixels.buffer, pixels.byteOffset, pixels.length);
  for (let i = 0; i < words; i++) sum = Math.imul(sum ^ view.getUint32(i * 4, true), 0x01000193);
  for (let i = words * 4; i < pixels.length; i++) sum = Math.imul(sum ^ pixels[i], 0x01000193);
  return sum >>> 0;
}

/** The picture of an entry; nothing where there is none, or none that is whole. */
export async function readEntry(
  entry: string,
  { channels }: Preparation,
): Promise<Picture | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(entry);
  } catch {
    return undefined;
  }
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [height, width, found, sum] = [0, 1, 2, 3].map((i) =>
    view.getUint32(MAGIC.length + i * 4, true)
  );
  const pixels = bytes.slice(HEADER);
  const whole = found === channels && pixels.length === height * width * channels &&
    sum === checksum(pixels);
  return whole ? { height, width, channels, pixels } : undefined;
}

/** Keeps a picture, whole or not at all. A cache that cannot be written to is done without. */
export async function writeEntry(entry: string, picture: Picture): Promise<void> {
  const { height, width, channels, pixels } = picture;
  const bytes = new Uint8Array(HEADER + pixels.length);
  bytes.set(MAGIC);
  const view = new DataView(bytes.buffer);
  [height, width, channels, checksum(pixels)].forEach((value, i) =>
    view.setUint32(MAGIC.length + i * 4, value, true)
  );
  bytes.set(pixels, HEADER);
  const temporary = `${entry}-${crypto.randomUUID()}.tmp`;
  try {
    // The folder may have been deleted since it was last written to.
    await Deno.mkdir(dirname(entry), { recursive: true });
    await Deno.writeFile(temporary, bytes, { createNew: true });
    await Deno.rename(temporary, entry);
  } catch {
    await Deno.remove(temporary).catch(() => {});
  }
}

/**
 * The folder in a cache of the pictures below a data folder under one preparation. It is marked as
 * used, and those that have not been for a month are removed.
 */
export async function openDiskCache(
  cache: string,
  dataDir: string,
  preparation: Preparation,
): Promise<string> {
  const now = new Date();
  const root = await Deno.realPath(dataDir).catch(() => dataDir);
  const folder = `${cache}/${await digest([root, preparation])}`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.utime(folder, now, now);
    for await (const { name, isDirectory } of Deno.readDir(cache)) {
      // Nothing but what has the name of a digest is ours to remove.
      if (!isDirectory || !/^[0-9a-f]{32}$/.test(name)) continue;
      const { mtime } = await Deno.stat(`${cache}/${name}`);
      const days = (now.getTime() - (mtime ?? now).getTime()) / 86_400_000;
      if (days > KEPT_DAYS) await Deno.remove(`${cache}/${name}`, { recursive: true });
    }
  } catch {
    // Another run may remove the same, and a cache that cannot be written to can still be read.
  }
  return folder;
}
