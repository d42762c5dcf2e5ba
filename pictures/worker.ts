/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
// Decodes the pictures that it is asked for; see PictureWorkers.
import { DataError } from "../data/error.ts";
import { inspectFile } from "./inspect_file.ts";
import type { PictureReply, PictureRequest } from "./picture_request.ts";
import { readPicture } from "./read_picture.ts";
import { loadSharp } from "./sharp.ts";

function tell(reply: PictureReply, transfer: Transferable[] = []): void {
  self.postMessage(reply, transfer);
}

function tellUnusable({ message, cause }: DataError): void {
  tell({ kind: "unusable", message, ...cause instanceof Error ? { cause: cause.message } : {} });
}

self.onmessage = async ({ data }: MessageEvent<PictureRequest>) => {
  const { id, ...request } = data;
  try {
    const decoded = request.inspect ? await inspectFile(request) : await readPicture(request);
    const picture = decoded.kind === "picture"
      ? decoded.picture
      : decoded.kind === "inspected"
      ? decoded.facts?.picture
      : undefined;
    const moved = picture ? [picture.pixels.buffer] : [];
    tell({ kind: "decoded", id, decoded }, moved);
  } catch (error) {
    if (error instanceof DataError) return tellUnusable(error);
    // What is thrown here would be printed, wherever it is caught.
    tell({ kind: "failed", message: String(error) });
  }
};

try {
  await loadSharp();
  tell({ kind: "ready" });
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  tellUnusable(error);
}
