import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import { type NetworksInFile, networksInFile } from "../../train/resume/state_networks.ts";
import { isDamaged } from "./seal.ts";

/**
 * The networks of a safetensors file: one, or those of a checkpoint. Raises a {@link DataError} for a
 * file that has none, and for a checkpoint whose bytes are others than those that were saved.
 */
export async function networksIn(bytes: Uint8Array, file: string): Promise<NetworksInFile> {
  const found = networksInFile(bytes, file);
  if (!found.state || !await isDamaged(bytes)) return found;
  throw new DataError(
    `Cannot read the networks in ${
      printable(file, 300)
    }: wanted the bytes that were saved, found ` +
      `others; the file is damaged, take another checkpoint`,
  );
}
