import { unwritable } from "./unwritable.ts";

/** Writes a file so that it is there either whole or not at all, else raises a `UsageError`. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await Deno.writeFile(temporary, bytes);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw unwritable(path, error);
  }
}
