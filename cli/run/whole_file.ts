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

/** The same as {@link syncFolder}, while the program goes on. */
async function syncNames(folder: string): Promise<void> {
  try {
    using opened = await Deno.open(folder);
    await opened.sync();
  } catch { /* What is in the files is safe all the same. */ }
}

/** Writes a new file, and waits until it is on the disk. */
async function writeNew(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const piece of pieces) {
    for (let rest = piece; rest.length;) rest = rest.subarray(await file.write(rest));
  }
  await file.sync();
}

/** Fills a file that nobody else knows with `fill`, then gives it its name: all of it or nothing. */
async function takeName(path: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryIn(dirname(path));
  try {
    await fill(temporary);
    await Deno.rename(temporary, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) {
      await Deno.remove(temporary).catch(() => {});
    }
    throw unwritable(path, error);
  }
  await syncNames(dirname(path));
}

/**
 * Writes a file so that it is there either whole or not at all, else raises a `UsageError`. Its
 * pieces are written one behind the other. It is written under a name that nobody else has: not even
 * a link is followed. A link at `path` is replaced, not what it leads to.
 */
export async function writeWhole(
  path: string,
  content: Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const pieces = content instanceof Uint8Array ? [content] : content;
  await takeName(path, (temporary) => writeNew(temporary, pieces));
}

/**
 * Puts a whole file under another name of the same folder, too, in the place of what has it: as a
 * second name, or as a copy where files have one name only. Raises a `UsageError` where it cannot.
 */
export async function nameAlso(from: string, path: string): Promise<void> {
  await takeName(path, async (temporary) => {
    try {
      await Deno.link(from, temporary);
    } catch {
      await Deno.copyFile(from, temporary);
      using file = await Deno.open(temporary, { write: true });
      await file.sync();
    }
  });
}

/** Removes what a process that was killed has left half written in a folder. */
export function removeTemporary(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    if (isTemporary(name)) Deno.removeSync(`${folder}/${name}`);
  }
}
