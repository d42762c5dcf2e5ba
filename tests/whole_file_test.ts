import { assertEquals, assertRejects } from "@std/assert";
import { isTemporary, nameAlso, writeWhole } from "../cli/run/whole_file.ts";
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
  const { open, rename } = Deno;
  const { sync } = Deno.FsFile.prototype;
  Deno.open = (path, options) => {
    const isNew = options?.createNew && isTemporary(String(path).split("/").at(-1) ?? "");
    if (options?.write) calls.push(isNew ? "create" : "write");
    return open(path, options);
  };
  Deno.rename = (...args) => {
    calls.push("rename");
    return rename(...args);
  };
  Deno.FsFile.prototype.sync = function () {
    calls.push(this.statSync().isDirectory ? "sync folder" : "sync file");
    return sync.call(this);
  };
  try {
    await work();
  } finally {
    Object.assign(Deno, { open, rename });
    Deno.FsFile.prototype.sync = sync;
  }
  return calls;
}

test("a file is on the disk before it has its name, and then its name is", async (dir) => {
  const calls = await order(() => writeWhole(`${dir}/it`, bytes("new")));
  assertEquals(calls, ["create", "sync file", "rename", "sync folder"]);
});

test("what cannot have its name leaves nothing behind", async (dir) => {
  await Deno.mkdir(`${dir}/it`);
  const why =
    `Cannot write ${dir}/it: a folder is in its place; move that folder away or choose another --output`;
  await assertRejects(() => writeWhole(`${dir}/it`, bytes("new")), UsageError, why);
  assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["it"]);
});

test("pieces are written one behind the other", async (dir) => {
  await writeWhole(`${dir}/it`, [bytes("one "), bytes(""), bytes("two")]);
  assertEquals(await Deno.readTextFile(`${dir}/it`), "one two");
});

test("a file gets a second name at once, in the place of what has it", async (dir) => {
  for (const [name, text] of [["a", "new"], ["b", "old"]]) {
    await writeWhole(`${dir}/${name}`, bytes(text));
  }
  const calls = await order(() => nameAlso(`${dir}/a`, `${dir}/b`));
  assertEquals([await Deno.readTextFile(`${dir}/b`), calls], ["new", ["rename", "sync folder"]]);
  const [a, b] = ["a", "b"].map((name) => Deno.statSync(`${dir}/${name}`).ino);
  assertEquals(a, b);
});

test("a file is copied where files have one name only", async (dir) => {
  await writeWhole(`${dir}/a`, bytes("new"));
  const { link } = Deno;
  Deno.link = () => Promise.reject(new Error("not here"));
  try {
    const calls = await order(() => nameAlso(`${dir}/a`, `${dir}/b`));
    assertEquals(calls, ["write", "sync file", "rename", "sync folder"]);
  } finally {
    Deno.link = link;
  }
  assertEquals(await Deno.readTextFile(`${dir}/b`), "new");
  assertEquals([...Deno.readDirSync(dir)].length, 2);
});
