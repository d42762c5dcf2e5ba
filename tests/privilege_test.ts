// Each command has no more than its task grants, and says which permission it lacks.
// The benches, searches and comparisons of other tests are run with their own grants as well.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { errorMessage } from "../cli/error_message.ts";
import { EXIT, exitCode } from "../cli/exit.ts";
import { CHROMIUMS } from "../cli/run/installed_browser.ts";
import { whyNot } from "../cli/run/unwritable.ts";
import { DataError } from "../data/error.ts";
import { foundInstead, tooManyOpen } from "../data/found_instead.ts";
import { grantingFlag, missingPermission } from "../data/missing_permission.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makePictures } from "./picture_folders.ts";
import { granted, taskNames, taskOf } from "./tasks.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");
const root = fileURLToPath(new URL("../", import.meta.url));

/** The kinds of permissions of a task, those for anything with a star. */
function kinds(words: readonly string[]): string {
  return granted(words).map((flag) => flag.replace("--allow-", "").replace(/=.*/, ""))
    .map((kind) => granted(words).includes(`--allow-${kind}`) ? `${kind}*` : kind).join(" ");
}

/** What each command is granted: a star where users name the paths, which nobody can know before. */
const KINDS: Readonly<Record<string, string>> = {
  adjoin: "read* write* env ffi net run sys",
  install: "read* write* env ffi net run sys",
  train: "read* write* env ffi sys",
  search: "read* write* env ffi sys",
  compare: "read* write* env ffi sys",
  export: "read* write* env ffi",
  "export:browser": "read* write* env ffi net run",
  eval: "read* write* env ffi sys",
  data: "read* write* env ffi",
  predict: "read* env ffi",
  summary: "read* env",
  serve: "read* env net",
  doctor: "read* env ffi sys run",
  report: "read* write* env",
  parity: "read* env ffi",
  wgsl: "env",
  "bench conv": "read env ffi",
  "bench step": "read env ffi",
  "bench data": "read* write env run ffi sys",
  "bench peers": "read write env run",
};

Deno.test("every command is granted what it needs, by name where that is known", { ignore }, () => {
  const commands = taskNames().filter((words) => taskOf(words).line.includes("cli/main.ts"));
  assertEquals(Object.fromEntries(commands.map((words) => [words.join(" "), kinds(words)])), KINDS);
  for (const words of taskNames()) {
    const { line } = taskOf(words);
    assert(!/ (-A|--allow-all|--allow-(env|ffi|net|sys))(?= |$)/.test(line), line);
  }
});

Deno.test(
  "nothing but benches, the doctor and the check in a browser runs programs, those that they name",
  { ignore },
  () => {
    const running = taskNames().flatMap((words) =>
      granted(words).filter((flag) => flag.startsWith("--allow-run")).map((
        flag,
      ) => [words[1], flag])
    ).filter(([name]) => name !== undefined);
    assertEquals(running, [
      ["data", "--allow-run=python3,/usr/bin/python3"],
      // With variables of the linker, as images with NVIDIA's driver set them, no less will do.
      ["card", "--allow-run"],
      ["peers", "--allow-run=deno,python3,/usr/bin/python3"],
    ]);
    const doctor = granted(["doctor"]).filter((flag) => flag.startsWith("--allow-run"));
    assertEquals(doctor, ["--allow-run=cat,ls"]);
    const browsers = granted(["export:browser"]).filter((flag) => /^--allow-(run|net)/.test(flag));
    assertEquals(browsers, ["--allow-net=127.0.0.1", `--allow-run=${CHROMIUMS.join(",")}`]);
  },
);

/** What permissions name by kind: `*` where they name nothing. */
function namesOf(words: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const flag of granted(words)) {
    const [kind, names = "*"] = flag.replace("--allow-", "").split("=");
    found.set(kind, new Set(names.split(",")));
  }
  return found;
}

Deno.test(
  "adjoin may do what its commands may, but run the programs of benches",
  { ignore },
  () => {
    const own = namesOf(["adjoin"]);
    const lacking: string[] = [];
    for (const words of taskNames()) {
      if (!taskOf(words).line.includes("cli/main.ts")) continue;
      for (const [kind, names] of namesOf(words)) {
        for (const name of names) {
          const may = own.get(kind)?.has("*") || own.get(kind)?.has(name);
          // Programs can do everything.
          const ofBench = words[0] === "bench" && kind === "run";
          if (!may && !ofBench) lacking.push(`${words.join(" ")}: --allow-${kind}=${name}`);
        }
      }
    }
    assertEquals(lacking, []);
    assertEquals(granted(["install"]), granted(["adjoin"]));
  },
);

/** Makes a set of pictures that a run takes a second or two for. */
async function withPictures(test: (dir: string) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const files = ["cat", "dog"].flatMap((name) =>
      ["train", "val"].flatMap((half) => [0, 1, 2, 3, 4].map((i) => `${half}/${name}/${i}.png`))
    );
    await makePictures(`${dir}/set`, files);
    await test(dir);
  });
}

Deno.test(
  "commands of the documents run with what their tasks grant",
  { ignore },
  () =>
    withPictures(async (dir) => {
      const run = `${dir}/run`;
      const train = "--model resnet8 --mode plain --which small --image-size 12 --batch-size 4";
      // Each step needs what the one before has written.
      const steps: readonly (readonly [string, RegExp])[][] = [
        [
          ["summary --model resnet8", /small/],
          ["wgsl relu", /fn main/],
          ["parity tests/reference/linear.safetensors", /1 hold/],
          [`data ${dir}/set --output ${dir}/sheet.png`, /sheet\.png/],
          [
            `train --data-dir ${dir}/set ${train} --epochs 1 --quiet --output ${run}`,
            /batch\.png, confusion\.svg/,
          ],
        ],
        [
          [`export ${run}`, /small\.onnx: /],
          [`eval ${run}`, /small/],
          [`predict ${run} ${dir}/set/val/cat/0.png`, /0\.png/],
        ],
        [[`eval ${run}/small.onnx`, /onnx/]],
      ];
      for (const lines of steps) {
        await Promise.all(lines.map(async ([line, wanted]) => {
          const { code, out, error } = await adjoinCommand(line.split(" "));
          assertEquals(code, EXIT.ok, `${line}: ${error}`);
          assertMatch(out, wanted, line);
          assert(!/permission|--allow/.test(error), error);
        }));
      }
      await Deno.stat(`${run}/confusion.svg`);
    }),
);

/** Runs a command with what its task grants, less the permissions of a kind. */
function without(kind: string, line: string): Promise<Outcome> {
  const words = line.split(" ");
  const left = granted(words).filter((flag) => !flag.startsWith(`--allow-${kind}`));
  return adjoinCommand(words, {}, left);
}

Deno.test(
  "a command with less is refused with the flag that it lacks",
  { ignore },
  () =>
    withPictures(async (dir) => {
      const output = `${dir}/made/sheet.png`;
      const data = `data ${dir}/set --output ${output}`;
      const lines: [string, string, string][] = [
        ["read", "parity tests/reference", "--allow-read=tests/reference"],
        ["read", `train --dataset folder --data-dir ${dir}/set`, `--allow-read=${dir}/set`],
        ["read", `train --resume ${dir}/set`, `--allow-read=${dir}/set`],
        ["read", "train --resume auto", "--allow-read=runs"],
        ["write", `train --output ${dir}/run`, `--allow-write=${dir}/run`],
        ["env", data, "--allow-env=npm_package_config_libvips"],
        ["ffi", `bench data ${dir}/set --workers 1 --image-sizes 8`, "--allow-ffi=/"],
      ];
      const found = await Promise.all(lines.map(([kind, line]) => without(kind, line)));
      found.forEach(({ code, out, error }, i) => {
        assertEquals([code, out], [EXIT.usage, ""], error);
        assertStringIncludes(error, `add ${lines[i][2]}`);
        assertEquals(error.trim().split("\n").length, 1, error);
      });
    }),
);

Deno.test(
  "pictures that may not be read end the command, and are not broken",
  { ignore },
  () =>
    withPictures(async (dir) => {
      const picture = `${dir}/set/val/dog/0.png`;
      const flags = [...granted(["data"]), `--deny-read=${picture}`];
      const line = ["data", `${dir}/set`, "--output", `${dir}/sheet.png`];
      const { code, error } = await adjoinCommand(line, {}, flags);
      assertEquals([code, error], [
        EXIT.usage,
        `adjoin: Cannot read pictures: found ${picture}, which Deno was started without the ` +
        `permission to read: add --allow-read=${picture}\n`,
      ]);
    }),
);

Deno.test("without a permission, every kind of error of Deno's names it", {
  permissions: "none",
}, async () => {
  const tries: [() => unknown, string][] = [
    [() => Deno.readFileSync("/a b"), 'read /a b; --allow-read="/a b"'],
    [() => Deno.writeFileSync("/a", new Uint8Array()), "write /a; --allow-write=/a"],
    [() => Deno.makeTempDirSync(), "write; --allow-write"],
    [() => Deno.env.get("NAME"), "read the environment variable NAME; --allow-env=NAME"],
    [() => Deno.env.toObject(), "read the environment; --allow-env"],
    [() => new Deno.Command("ls").spawn(), "run ls; --allow-run=ls"],
    [() => Deno.hostname(), "ask the system for hostname; --allow-sys=hostname"],
    [() => Deno.dlopen("/a.so", {}), "load /a.so; --allow-ffi=/a.so"],
    [() => Deno.listen({ port: 0, hostname: "::1" }), "connect to [::1]:0; --allow-net=[::1]:0"],
  ];
  for (const [fail, told] of tries) {
    let error: unknown;
    try {
      await fail();
    } catch (caught) {
      error = caught;
    }
    const [what, flag] = told.split("; ");
    assertEquals(
      errorMessage(error, ["train"]),
      `Cannot ${what}: Deno was started without the permission to; add ${flag}, or start it with ` +
        `deno task`,
    );
    assertEquals(exitCode(error), EXIT.usage);
    // What was made of it keeps the exit code.
    assertEquals(exitCode(new DataError("Cannot", { cause: error })), EXIT.usage);
  }
});

Deno.test("a permission that is missing is told from other errors", () => {
  const asked = 'Requires read access to "a", run again with the --allow-read flag';
  assertEquals(missingPermission(new Error(asked)), { access: "read", what: "a" });
  assertEquals(missingPermission(new Error(`Cannot load sharp\n${asked}\nInstall`))?.what, "a");
  assertEquals(missingPermission(new Error(`no backend: NotCapable: ${asked}`))?.what, "a");
  const special = 'Requires all access to "/dev/a", run again with the --allow-all flag';
  for (const other of ["", `a file called ${asked}`, special]) {
    assertEquals(missingPermission(new Error(other)), undefined);
  }
  assertEquals(missingPermission(asked), undefined);
  assertEquals(exitCode(new Error("other")), EXIT.unexpected);
  assertEquals(grantingFlag({ access: "read", what: "\x1b[2J" }), "--allow-read=\\x1b[2J");
});

Deno.test("too many open files are told as that, for reading and writing", () => {
  for (const code of ["EMFILE", "ENFILE"]) {
    const error = Object.assign(new Error("os error 24"), { code });
    assertEquals(whyNot(error), "too many files are open");
    assert(tooManyOpen(new Error(`Cannot load sharp\n${code}: no package.json\nInstall`)));
    assertEquals(
      foundInstead("a", error),
      "too many files open to read a: raise the limit of open files (ulimit -n)",
    );
  }
});

Deno.test("the tasks of bench are those that deno task finds, from any folder", {
  ignore,
}, async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "bench", "conv", "--help"],
    cwd: `${root}/docs`,
  }).output();
  assertEquals(code, EXIT.ok);
  assertStringIncludes(new TextDecoder().decode(stdout), "bench conv");
});
