// Loaded before a program: the disk of the folder FULL has no room for weights.
const { open } = Deno;
const { write } = Deno.FsFile.prototype;
const folder = Deno.env.get("FULL");
const full = new WeakSet<Deno.FsFile>();

Deno.open = async (path, options) => {
  const file = await open(path, options);
  if (String(path).startsWith(`${folder}/`)) full.add(file);
  return file;
};

Deno.FsFile.prototype.write = async function (bytes) {
  if (full.has(this) && bytes.length > 10_000) {
    throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  }
  return await write.call(this, bytes);
};
