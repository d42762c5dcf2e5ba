// The command that deno task install leaves, used from a folder that is not the checkout.
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makePictures } from "./picture_folders.ts";

const ignore = lacks("read", "write", "run", "env", "ffi") || Deno.build.os === "windows";
const root = fileURLToPath(new URL("../", import.meta.url));

async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", XDG_RUNTIME_DIR: "/tmp", ...env },
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  return text(stdout);
}

Deno.test("adjoin is installed by one command, and runs elsewhere", { ignore }, async () => {
  await withFolder(async (dir) => {
    const env = { DENO_INSTALL_ROOT: `${dir}/root` };
    await run(Deno.execPath(), ["task", "--quiet", "install"], { cwd: root, env });
    const elsewhere = `${dir}/elsewhere`;
    await makePictures(`${elsewhere}/set`, ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]);
    const adjoin = (line: string): Promise<string> =>
      run(`${dir}/root/bin/adjoin`, line.split(" "), { cwd: elsewhere });
    const [version, summary, data] = await Promise.all([
      adjoin("--version"),
      adjoin("summary --model resnet8 --image-size 32"),
      adjoin("data set --output sheet.png"),
    ]);
    assertEquals(version, `adjoin ${config.version}\n`);
    assertMatch(summary, /small/);
    assertMatch(data, /sheet: sheet\.png/);
    // sharp is found, and paths are meant from where they are typed.
    assertEquals((await Deno.stat(`${elsewhere}/sheet.png`)).isFile, true);
  });
});
