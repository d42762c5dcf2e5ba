import { dirname } from "node:path";
import { unwritable } from "./unwritable.ts";

/** Whether a name is one of those that may be left where the process is killed. */
export function isTemporary(name: string): boolean {
  return /^adjoin-[0-9a-f-]{36}\.tmp$/.test(name);
}

/** Waits until a file is on the disk, whatever happens to the machine. */
export function syncFile(path: string): void {
  using file = Deno.openSync(path, { write: true });
  file.syncSync();
}

/** The same for the names in a folder, where the system can: Windows cannot. */
export function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch { /* What is in the files is safe all the same. */ }
}

/** A path in a folder that nobody else has. */
function temporaryIn(folder: string): string {
  return `${folder}/adjoin-${crypto.randomUUID()}.tmp`;
}

/** Raises the system's error for a folder that cannot be written to. */
export function tryWriting(folder: string): void {
  const temporary = temporaryIn(folder);
  Deno.writeFileSync(temporary, new Uint8Array(), { createNew: true });
  Deno.removeSync(temporary);
}

/**
 * Writes a file so that it is there either whole or not at all, else raises a `UsageError`. It is
 * written under a name that nobody else has: not even a link is followed. A link at `path` is
 * replaced, not what it leads to.
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryIn(folder);
  try {
    await Deno.writeFile(temporary, bytes, { createNew: true });
    syncFile(temporary);
    await Deno.rename(temporary, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      await Deno.remove(temporary).catch(() => {});
    }
    throw unwritable(path, error);
  }
  syncFolder(folder);
}
