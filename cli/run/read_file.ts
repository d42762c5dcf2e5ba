/** Bytes that a text which a program wrote for itself has at most. */
export const LONGEST_TEXT = 1 << 26;

/**
 * The bytes of a file. Raises what Deno raises where there is none, and an `Error` for pipes and
 * devices, which need not end, and for more bytes than `most`.
 */
export async function readFile(path: string, most = Infinity): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, isDirectory, size } = await Deno.stat(path);
  if (!isFile && !isDirectory) throw new Error("it is a pipe or a device");
  if (isFile && size > most) throw new Error(`it has ${size} bytes, more than ${most}`);
  return await Deno.readFile(path);
}

/** The text of a file that a program wrote for itself. Raises errors as {@link readFile} does. */
export async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readFile(path, LONGEST_TEXT));
}
