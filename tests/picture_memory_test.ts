// Memory does not grow with the number of pictures that are read.
import { assert } from "@std/assert";
import { fileURLToPath } from "node:url";
import { withFolder } from "./folder.ts";
import { encode, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { LOCK } from "./tasks.ts";

const ignore = lacks("read", "write", "ffi", "env", "run");

/** Reads so many pictures, each of 270 kB as it is decoded, and tells the most memory in use. */
const PROGRAM = `
  import { openPicturePool } from "./pictures/picture_pool.ts";
  const [dir, count] = Deno.args;
  const files = Array.from({ length: Number(count) }, (_, i) =>
    dir + "/".repeat(1 + (i >> 3)) + i % 8 + ".png");
  using pool = openPicturePool({ dataDir: dir, workers: 2, cache: "none" });
  const source = pool.open(files, { kind: "level", channels: 3, side: 300, area: 1e5 });
  const asked = [];
  let most = 0;
  for (let i = 0; i < files.length + 8; i++) {
    if (i < files.length) asked.push(source.read(i));
    if (i < 8) continue;
    await asked.shift();
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  console.log(most);`;

async function memory(dir: string, count: number): Promise<number> {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const script = await Deno.makeTempFile({ dir, suffix: ".ts" });
  await Deno.writeTextFile(script, PROGRAM.replace("./pictures", `file://${root}/pictures`));
  const args = ["run", "--no-prompt", "--no-check", "--config", `${root}/deno.json`];
  const grants = [LOCK, "--allow-read", "--allow-env", "--allow-ffi"];
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...grants, script, dir, String(count)],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout));
}

Deno.test(
  "ten times as many pictures take no more memory",
  { ignore },
  () =>
    withFolder(async (dir) => {
      for (let i = 0; i < 8; i++) {
        await Deno.writeFile(`${dir}/${i}.png`, await encode(noise(300, 300, 3), "png"));
      }
      // All pictures of the second would take 540 MB.
      const [few, many] = [await memory(dir, 200), await memory(dir, 2000)];
      assert(many < few + 200e6, `${few} and ${many} bytes`);
    }),
);
