import { DataError } from "./error.ts";

/**
 * Unpacks gzip, which is told by its first bytes (1f 8b); other bytes come back as they are.
 * Raises a `DataError` for a gzip that is cut off or damaged, or of several members.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  fileName: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(unpacked).arrayBuffer());
  } catch (cause) {
    throw new DataError(
      `Cannot unpack ${fileName}: wanted a whole gzip file, found ${bytes.length} bytes that are cut off, damaged or of several members; download or pack it again`,
      { cause },
    );
  }
}
