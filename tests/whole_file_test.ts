import { assertEquals, assertRejects } from "@std/assert";
import { isTemporary, writeWhole } from "../cli/run/whole_file.ts";
import { UsageError } from "../train/errors.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

const bytes = (text: string) => new TextEncoder().encode(text);

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

test("a file is written whole, and nothing but it", async (dir) => {
  const file = `${dir}/it`;
  await Deno.writeTextFile(`${file}.tmp`, "a user's");
  for (const text of ["first", "second"]) {
    await writeWhole(file, bytes(text));
    assertEquals(await Deno.readTextFile(file), text);
  }
  assertEquals(await Deno.readTextFile(`${file}.tmp`), "a user's");
  assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name).sort(), ["it", "it.tmp"]);
});

test("no link is written through", async (dir) => {
  await Deno.writeTextFile(`${dir}/thesis`, "mine");
  for (const name of ["it", "it.tmp"]) await Deno.symlink(`${dir}/thesis`, `${dir}/${name}`);
  await writeWhole(`${dir}/it`, bytes("new"));
  assertEquals(await Deno.readTextFile(`${dir}/thesis`), "mine");
  assertEquals(await Deno.readTextFile(`${dir}/it`), "new");
  assertEquals((await Deno.lstat(`${dir}/it`)).isSymlink, false);
});

/** The order in which calls are made to write a file. */
async function order(work: () => Promise<void>): Promise<string[]> {
  const calls: string[] = [];
  const { writeFile, rename } = Deno;
  const { syncSync } = Deno.FsFile.prototype;
  Deno.writeFile = (path, ...rest) => {
    const isNew = rest[1]?.createNew;
    calls.push(isTemporary(String(path).split("/").at(-1) ?? "") && isNew ? "create" : "write");
    return writeFile(path, ...rest);
  };
  Deno.rename = (...args) => {
    calls.push("rename");
    return rename(...args);
  };
  Deno.FsFile.prototype.syncSync = function () {
    calls.push(this.statSync().isDirectory ? "sync folder" : "sync file");
    syncSync.call(this);
  };
  try {
    await work();
  } finally {
    Object.assign(Deno, { writeFile, rename });
    Deno.FsFile.prototype.syncSync = syncSync;
  }
  return calls;
}

test("a file is on the disk before it has its name, and then its name is", async (dir) => {
  const calls = await order(() => writeWhole(`${dir}/it`, bytes("new")));
  assertEquals(calls, ["create", "sync file", "rename", "sync folder"]);
});

test("what cannot have its name leaves nothing behind", async (dir) => {
  await Deno.mkdir(`${dir}/it`);
  const why = `Cannot write ${dir}/it: a folder is in its place; choose another --output`;
  await assertRejects(() => writeWhole(`${dir}/it`, bytes("new")), UsageError, why);
  assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["it"]);
});
