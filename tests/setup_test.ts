import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { assertTakesLess } from "./least_cost.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run");
const SETUP = fileURLToPath(new URL("../setup.sh", import.meta.url));

async function setup(
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<Record<"out" | "err", string> & { code: number }> {
  // Which interface the tests themselves ask for.
  const { DENO_WEBGPU_BACKEND: _, ...inherited } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: [SETUP, ...flags],
    // From elsewhere, as it has to find its own folder.
    cwd: fileURLToPath(new URL("./", import.meta.url)),
    clearEnv: true,
    env: { ...inherited, ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A folder to be the whole of PATH: links to the given programs, and scripts of one's own. */
async function makePath(programs: string[], scripts: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const program of programs) {
    for (const place of ["/usr/bin", "/bin"]) {
      const info = await Deno.stat(`${place}/${program}`).catch(() => null);
      if (!info) continue;
      await Deno.symlink(`${place}/${program}`, `${folder}/${program}`);
      break;
    }
  }
  for (const [name, text] of Object.entries(scripts)) {
    await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return folder;
}

const BASIC = ["sh", "dirname", "sed", "sort", "head", "uname", "env", "cat", "chmod", "mkdir"];

Deno.test(
  "setup.sh says twice within seconds that there is nothing to do",
  { ignore },
  async () => {
    for (let i = 0; i < 2; i++) {
      await assertTakesLess({ milliseconds: 10_000 }, async () => {
        const { code, out, err } = await setup();
        assertEquals([code, err], [0, ""]);
        assertMatch(
          out,
          /^setup: nothing to do: Deno \d+\.\d+\.\d+ and a WebGPU adapter are there\n$/,
        );
      });
    }
  },
);

Deno.test(
  "setup.sh installs a pinned Deno through npm where there is none",
  { ignore },
  async () => {
    const prefix = await Deno.makeTempDir();
    await Deno.mkdir(`${prefix}/bin`);
    const PATH = await makePath(BASIC, {
      id: "echo 0",
      // What npm does: it puts a program in its folder, here one that says yes to everything.
      npm: `if [ "$1" = prefix ]; then echo ${prefix}; exit; fi
echo "$@" > ${prefix}/arguments
cat > ${prefix}/bin/deno <<'EOF'
#!/bin/sh
if [ "$1" = --version ]; then echo deno 2.9.6; fi
EOF
chmod +x ${prefix}/bin/deno`,
    });
    try {
      const { code, out } = await setup({ PATH: `${PATH}:${prefix}/bin` });
      assertEquals(code, 0, out);
      assertStringIncludes(out, "setup: installing Deno 2.9.6 through npm\nsetup: done");
      const args = await Deno.readTextFile(`${prefix}/arguments`);
      assertStringIncludes(args, "install -g");
      assertStringIncludes(args, "--allow-scripts=deno deno@2.9.6");
      await Deno.remove(`${prefix}/bin/deno`);
      const hidden = await setup({ PATH });
      assertEquals(hidden.code, 1);
      assertStringIncludes(hidden.err, `run export PATH="${prefix}/bin:$PATH"`);
    } finally {
      await Promise.all([PATH, prefix].map((folder) => Deno.remove(folder, { recursive: true })));
    }
  },
);

/** Finds an adapter without Vulkan as `opengl` says, and with Vulkan where a file says so. */
const fakeDeno = (opengl: boolean) =>
  `case "$1" in
  --version) echo deno 2.9.6 ;;
  eval) [ -e "$(dirname "$0")/installed" ] || { [ "$DENO_WEBGPU_BACKEND" != vulkan ] && ${opengl}; } ;;
esac`;

/** Fails as on a machine whose package lists are empty, until they are fetched. */
const APT_GET = `echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  update*) : > "$(dirname "$0")/updated" ;;
  *) [ -e "$(dirname "$0")/updated" ] && : > "$(dirname "$0")/installed" ;;
esac`;

for (const opengl of [false, true]) {
  Deno.test(
    `setup.sh installs Mesa's Vulkan drivers where there is ${opengl ? "OpenGL alone" : "nothing"}`,
    { ignore: ignore || Deno.build.os !== "linux" },
    async () => {
      const PATH = await makePath(BASIC, {
        id: "echo 0",
        deno: fakeDeno(opengl),
        "apt-get": APT_GET,
      });
      try {
        const { code, out, err } = await setup({ PATH });
        assertEquals([code, err], [0, ""]);
        assertStringIncludes(out, "setup: installing libvulkan1 mesa-vulkan-drivers\nsetup: done");
        const calls = (await Deno.readTextFile(`${PATH}/calls`)).trim().split("\n");
        assertEquals(calls.map((call) => call.split(" ")[0]), ["install", "update", "install"]);
      } finally {
        await Deno.remove(PATH, { recursive: true });
      }
    },
  );
}

Deno.test("setup.sh goes on with OpenGL where it cannot install", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  const PATH = await makePath(BASIC, {
    id: "echo 1000",
    deno: fakeDeno(true),
    "apt-get": "exit 0",
  });
  try {
    const { code, out, err } = await setup({ PATH });
    assertEquals(code, 0);
    assertStringIncludes(err, "needs root");
    assertStringIncludes(out, "going on with OpenGL, which is slower");
  } finally {
    await Deno.remove(PATH, { recursive: true });
  }
});

Deno.test("setup.sh says what is in the way where it cannot install", { ignore }, async () => {
  const deno = 'if [ "$1" = --version ]; then echo deno 2.9.6; else exit 1; fi';
  const cases: [Record<string, string>, string][] = [
    [{ deno }, "no apt-get"],
    [{ deno, "apt-get": "exit 0", id: "echo 0" }, "Cannot find a WebGPU adapter"],
    [{ deno, "apt-get": "exit 1", id: "echo 0" }, "apt-get update failed"],
    [{ deno, "apt-get": "exit 0", id: "echo 1000" }, "that needs root and there is no sudo"],
    [{ id: "echo 0" }, "Cannot install npm as there is no apt-get"],
    [{ npm: "[ $1 = prefix ] && echo /nowhere", id: "echo 0" }, "Cannot install Deno"],
  ];
  for (const [scripts, text] of cases) {
    const PATH = await makePath(BASIC, scripts);
    try {
      const { code, err } = await setup({ PATH });
      assert(code !== 0, text);
      assertStringIncludes(err, text);
    } finally {
      await Deno.remove(PATH, { recursive: true });
    }
  }
});

Deno.test("setup.sh fetches what its flags name, and nothing else", { ignore }, async () => {
  const PATH = await makePath([...BASIC, "pwd"], {
    deno: `if [ "$1" = --version ]; then echo deno 2.9.6; exit; fi
echo "$(pwd) $@" >> "$(dirname "$0")/calls"
case "$*" in *node_modules*) ! /bin/rm "$(dirname "$0")/broken" 2> /dev/null ;; esac`,
    // The folder may hold the package.
    rm: `echo "$@" >> "$(dirname "$0")/removed"`,
  });
  const fetched = async (...flags: string[]): Promise<string[]> => {
    const { code, out } = await setup({ PATH }, flags);
    assertEquals([code, out.includes("setup: nothing to do")], [0, true]);
    const calls = (await Deno.readTextFile(`${PATH}/calls`)).split("\n");
    await Deno.remove(`${PATH}/calls`);
    return calls.filter((call) => / install /.test(call));
  };
  try {
    const [usual, ...more] = await fetched();
    // With the types, without which no task starts.
    assertMatch(usual, / install --quiet --entrypoint cli\/main\.ts$/);
    assertEquals(more, []);
    const [first, all, ...others] = await fetched("--all");
    assertEquals(first, usual);
    assertStringIncludes(all, "--lock=packages.lock");
    assertStringIncludes(all, "export/onnxruntime_package.js");
    assertEquals(others, []);
    const dawn = await fetched("--dawn");
    assertEquals([dawn.length, dawn[0]], [2, usual]);
    assertMatch(dawn[1], /cli\/webgpu\/package install --quiet$/);
    // Dawn that is not loaded is installed anew.
    await Deno.writeTextFile(`${PATH}/broken`, "");
    const mended = await fetched("--dawn");
    assertEquals(mended, [...dawn, dawn[1]]);
    const removed = await Deno.readTextFile(`${PATH}/removed`);
    assertEquals(removed, "-rf cli/webgpu/package/node_modules\n");
    const { code, err } = await setup({ PATH }, ["--metal"]);
    assertEquals(code, 1);
    assertStringIncludes(err, "wanted --all, --dawn or nothing, found --metal");
  } finally {
    await Deno.remove(PATH, { recursive: true });
  }
});
