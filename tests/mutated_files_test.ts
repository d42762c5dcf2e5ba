// Mutated files of each kind: those that are read here are the first of deno task torture.
import { assert, assertEquals } from "@std/assert";
import { DataError } from "../data/error.ts";
import { lacks } from "./permissions.ts";
import { meterAllocations } from "./torture/allocation.ts";
import { examine, fileAt } from "./torture/examine.ts";
import { type FileKind, fileKinds } from "./torture/file_kinds.ts";

const ignore = lacks("read", "write", "env");

/** The part of all files that is read here: as many as a few seconds are enough for. */
const SHARE = 1 / 250;

const kinds = ignore ? [] : await fileKinds();

Deno.test("there are as many files of each kind as are promised", { ignore }, () => {
  const counts = new Map(kinds.map(({ name, count }) => [name, count]));
  assertEquals(counts.get("safetensors"), 1_000_000);
  for (const name of ["CIFAR", "IDX", "network", "checkpoint", "config.json", "widths.json"]) {
    assertEquals(counts.get(name), 100_000, name);
  }
});

for (const kind of kinds) {
  const count = Math.round(SHARE * kind.count);
  Deno.test(`${count} mutated files of ${kind.name} are read or refused in a sentence`, async () => {
    using meter = meterAllocations();
    for (let index = 0; index < count; index++) {
      const { fault } = await examine(kind, index, meter);
      if (fault) throw new Error(`File ${index} ${fault}`);
    }
  });
}

Deno.test("the files of a kind are read without a mutation", { ignore }, async () => {
  for (const { name, files, read } of kinds) {
    // That of a checkpoint without all of its tensors, and that of a network, are there to be refused.
    const whole = name === "checkpoint" ? files.slice(1) : name === "network" ? [files[0]] : files;
    for (const file of whole) await read(file.slice());
  }
});

Deno.test("a file is the same each time, and is mutated", { ignore }, () => {
  for (const kind of kinds) {
    const all = Array.from({ length: 30 }, (_, index) => fileAt(kind, index));
    assertEquals(all, Array.from({ length: 30 }, (_, index) => fileAt(kind, index)), kind.name);
    const texts = new Set(all.map((bytes) => bytes.join()));
    assert(texts.size > 20, `${kind.name}: ${texts.size}`);
  }
});

/** What is found of a reader that does something wrong. */
async function faultOf(read: FileKind["read"], longest = 5000): Promise<string | undefined> {
  using meter = meterAllocations();
  const kind = { name: "a kind", count: 1, files: [new Uint8Array(9)], read };
  return (await examine(kind, 3, meter, longest)).fault;
}

Deno.test("readers that are slow, take too much or raise other errors are found", async () => {
  const wait = async () => await new Promise((done) => setTimeout(done, 210));
  const raising = (error: unknown) => () => {
    throw error;
  };
  const kept: unknown[] = [];
  const cases: [FileKind["read"], RegExp | undefined][] = [
    [() => 1, undefined],
    [raising(new DataError("Cannot read it")), undefined],
    [raising(new TypeError("no")), /^raised TypeError: no$/],
    [raising("no"), /^raised no$/],
    [() => JSON.parse("{"), /^raised SyntaxError/],
    [raising(new DataError("a".repeat(2000))), /^said 2000 characters$/],
    [raising(new DataError("a\x1b[2J")), /^said "a\\u001b\[2J"$/],
    [() => new Float32Array(1e6), /^took 4000000 bytes at once for \d+$/],
    [() => new Uint8Array(7e4).slice(1), /^took 70000 bytes at once/],
    [() => Float64Array.from({ length: 1e6 }), /^took 8000000 bytes at once/],
    [() => new ArrayBuffer(2 ** 40), /^asked for an array of 1099511627776 bytes$/],
    [() => kept.push(Array<number>(8e6).fill(0.5)), /^took \d+ bytes for \d+$/],
  ];
  for (const [read, says] of cases) {
    const fault = await faultOf(read);
    assert(says ? says.test(fault ?? "") : fault === undefined, `${says}: ${fault}`);
  }
  assert(/^took [2-9]\d\d ms$/.test(await faultOf(wait, 200) ?? ""));
  const own = new Uint8Array(3).slice(1);
  assert(own.constructor === Uint8Array && own instanceof Uint8Array);
});
