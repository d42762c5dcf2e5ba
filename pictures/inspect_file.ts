import { BrokenPictureError } from "../data/broken_picture.ts";
import { inspect } from "./inspect.ts";
import type { Inspected, PictureRequest } from "./picture_request.ts";
import { statPicture, unread } from "./read_picture.ts";

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes), 0, 8);
  return String.fromCharCode(...found);
}

/** Reads a file and tells what it is like; only what is no fault of the file is raised. */
export async function inspectFile(
  { path, preparation, inspect: asked }: Omit<PictureRequest, "id">,
): Promise<Inspected> {
  let read = { bytes: 0, digest: "" };
  try {
    await statPicture(path);
    const bytes = await Deno.readFile(path);
    read = { bytes: bytes.length, digest: await digestOf(bytes) };
    const facts = await inspect(bytes, asked?.show ? preparation : undefined);
    return { kind: "inspected", ...read, facts, reason: "" };
  } catch (error) {
    const reason = error instanceof BrokenPictureError
      ? error.message
      : unread(path, error)?.reason;
    if (reason === undefined) throw error;
    return { kind: "inspected", ...read, reason };
  }
}
