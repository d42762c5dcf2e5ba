// Loaded before a program: the disk of the folder FULL has no room for weights.
const { writeFile } = Deno;
const folder = Deno.env.get("FULL");

Deno.writeFile = async (path, data, options) => {
  if (data instanceof Uint8Array && data.length > 10_000 && String(path).startsWith(`${folder}/`)) {
    throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  }
  await writeFile(path, data, options);
};
