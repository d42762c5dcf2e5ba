// What stands in for the standard library has to behave like it.
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { ensureDir, exists, walk } from "@std/fs";
import { lacks } from "./permissions.ts";

function fails(fn: () => void, text = ""): void {
  assertThrows(fn, AssertionError, text);
}

Deno.test("assertEquals() compares all the way down and tells types apart", () => {
  assertEquals({ a: [1, { b: new Float32Array([NaN]) }] }, {
    a: [1, { b: new Float32Array([NaN]) }],
  });
  fails(() => assertEquals({ a: [1, 2] }, { a: [1, 3] }));
  fails(() => assertEquals<Float32Array | number[]>(new Float32Array([1]), [1]));
  fails(() => assertEquals(1, 2, "the reason"), "the reason");
  assertNotEquals([1], [2]);
  fails(() => assertNotEquals([1], [1]));
});

Deno.test("assertions on numbers and strings fail where they do not hold, NaN included", () => {
  assertAlmostEquals(1, 1 + 1e-8);
  assertAlmostEquals(1, 1.5, 0.5);
  assertAlmostEquals(Infinity, Infinity);
  fails(() => assertAlmostEquals(1, 1.1), "within");
  fails(() => assertAlmostEquals(NaN, 1, 10));
  fails(() => assertAlmostEquals(1, NaN, 10));
  assertGreater(2, 1);
  fails(() => assertGreater(1, 1));
  fails(() => assertGreater(NaN, 1));
  assertLessOrEqual(1, 1);
  fails(() => assertLessOrEqual(NaN, 1));
  assertMatch("loss 0.5", /loss \d/);
  fails(() => assertMatch("loss", /\d/), "loss");
  fails(() => assertStringIncludes("abc", "d"), "'d'");
  fails(() => assert(0, "zero"), "zero");
  assertInstanceOf(new TypeError(), Error);
  fails(() => assertInstanceOf("x", Error), "Error");
});

Deno.test("assertThrows() and assertRejects() check the class and the text, and return the error", async () => {
  const error = new RangeError("too large");
  const throws = () => {
    throw error;
  };
  assertEquals(assertThrows(throws), error);
  assertEquals(assertThrows(throws, RangeError, "large"), error);
  fails(() => assertThrows(throws, TypeError));
  fails(() => assertThrows(throws, RangeError, "small"), "small");
  fails(() => assertThrows(() => 1), "to throw");
  assertEquals(await assertRejects(() => Promise.reject(error), RangeError, "large"), error);
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError, "to reject");
  await assertRejects(() => assertRejects(throws), AssertionError, "not to throw");
});

Deno.test("parseArgs() reads options, positional arguments and numbers", () => {
  assertEquals(parseArgs(["train", "--lr", "0.1", "--name=a=b", "-x", "7", "--dry", "-abc"]), {
    _: ["train"],
    lr: 0.1,
    name: "a=b",
    x: 7,
    dry: true,
    a: true,
    b: true,
    c: true,
  });
  assertEquals(parseArgs(["-n5", "-m=x", "3"]), { _: [3], n: 5, m: "x" });
});

Deno.test("parseArgs() knows strings, booleans, defaults and aliases", () => {
  const args = parseArgs(["--run", "007", "--quiet", "-e", "3", "net"], {
    string: ["run", "epochs", "out"],
    boolean: ["quiet", "force"],
    default: { out: "runs" },
    alias: { epochs: "e", q: ["quiet"] },
  });
  const run: string | undefined = args.run;
  const out: string = args.out;
  const quiet: boolean = args.quiet;
  assertEquals([run, out, quiet, args.force], ["007", "runs", true, false]);
  assertEquals([args.epochs, args.e, args.q, args._], ["3", "3", true, ["net"]]);
  assertEquals(parseArgs(["--quiet", "false"], { boolean: ["quiet"] }).quiet, false);
  assertEquals(parseArgs(["--run"], { string: "run" }).run, "");
  assertEquals(parseArgs(["--run", "--quiet"], { string: "run", boolean: "quiet" }).run, "");
});

Deno.test("parseArgs() collects, negates and stops at --", () => {
  const collected = parseArgs(["--d", "1", "--d", "2"], {
    string: ["d", "f"],
    collect: ["d", "f"],
  });
  assertEquals([collected.d, collected.f], [["1", "2"], []]);
  assertEquals(parseArgs(["--a", "1", "--a", "2"]).a, 2);
  const options = { boolean: ["augment"], negatable: ["augment"], default: { augment: true } };
  assertEquals(parseArgs([], options).augment, true);
  assertEquals(parseArgs(["--no-augment"], options).augment, false);
  assertEquals(parseArgs(["--no-other"])["no-other"], true);
  assertEquals(parseArgs(["a", "--", "--b"]), { _: ["a", "--b"] });
  assertEquals(parseArgs(["a", "--", "--b"], { "--": true }), { _: ["a"], "--": ["--b"] });
  assertEquals(parseArgs(["a", "--b"], { stopEarly: true }), { _: ["a", "--b"] });
});

Deno.test("parseArgs() hands over what no option declares", () => {
  const seen: unknown[] = [];
  const args = parseArgs(["x", "--known", "1", "--new=2"], {
    string: ["known"],
    unknown: (arg, key, value) => {
      seen.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(seen, [["x", undefined, undefined], ["--new=2", "new", "2"]]);
  assertEquals(args, { _: [], known: "1" });
});

Deno.test("walk() lists what ensureDir() made, and exists() finds it", {
  ignore: lacks("read", "write"),
}, async () => {
  const root = await Deno.makeTempDir();
  try {
    await ensureDir(`${root}/a/b`);
    await ensureDir(`${root}/a/b`);
    await Deno.writeTextFile(`${root}/a/b/x.ts`, "");
    await Deno.writeTextFile(`${root}/a/y.md`, "");
    assert(await exists(`${root}/a/b/x.ts`, { isFile: true }));
    assert(!await exists(`${root}/a`, { isFile: true }));
    assert(!await exists(`${root}/none`));
    const found = async (options: Parameters<typeof walk>[1]) =>
      (await Array.fromAsync(walk(root, options), (e) => e.path.slice(root.length))).sort();
    assertEquals(await found({}), ["", "/a", "/a/b", "/a/b/x.ts", "/a/y.md"]);
    assertEquals(await found({ includeDirs: false, exts: ["ts"] }), ["/a/b/x.ts"]);
    assertEquals(await found({ maxDepth: 1 }), ["", "/a"]);
    assertEquals(await found({ skip: [/\/b$/], includeDirs: false }), ["/a/y.md"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
