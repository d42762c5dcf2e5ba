/**
 * The bytes of a file. Raises what Deno raises where there is none, and an `Error` for pipes and
 * devices, which need not end.
 */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, isDirectory } = await Deno.stat(path);
  if (!isFile && !isDirectory) throw new Error("it is a pipe or a device");
  return await Deno.readFile(path);
}
