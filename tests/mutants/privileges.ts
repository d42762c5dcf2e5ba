import type { Mutant } from "./mutant.ts";

const PRIVILEGE_TEST = "tests/privilege_test.ts";

/** Permissions of Deno's that are granted too freely, or whose lack is told as something else. */
export const PRIVILEGES: readonly Mutant[] = [
  {
    name: "predict may write",
    file: "deno.json",
    find:
      '"deno run --lock=packages.lock --allow-read --allow-env=ADJOIN_DEBUG,ADJOIN_WEBGPU,DENO_WEBGPU_BACKEND,INIT_CWD,MALLOC',
    replace:
      '"deno run --lock=packages.lock --allow-read --allow-write --allow-env=ADJOIN_DEBUG,ADJOIN_WEBGPU,DENO_WEBGPU_BACKEND,INIT_CWD,MALLOC',
    test: {
      file: PRIVILEGE_TEST,
      name: "every command is granted what it needs, by name where that is known",
    },
  },
  {
    name: "a permission that is missing has the exit code of a bug",
    file: "cli/exit.ts",
    find: "if (missingPermission(error)) return EXIT.usage;",
    replace: "",
    test: {
      file: PRIVILEGE_TEST,
      name: "without a permission, every kind of error of Deno's names it",
    },
  },
  {
    name: "a permission that is missing is told in Deno's words",
    file: "cli/error_message.ts",
    find: "if (refused) return refused;",
    replace: "",
    test: {
      file: PRIVILEGE_TEST,
      name: "without a permission, every kind of error of Deno's names it",
    },
  },
  {
    name: "a picture that may not be read is broken",
    file: "pictures/read_picture.ts",
    find: "missingPermission(error) || ",
    replace: "",
    test: {
      file: PRIVILEGE_TEST,
      name: "pictures that may not be read end the command, and are not broken",
    },
  },
  {
    name: "a file that cannot be opened as too many are is told by its code",
    file: "data/found_instead.ts",
    find: '"ENFILE"].includes',
    replace: '"ENFILES"].includes',
    test: {
      file: PRIVILEGE_TEST,
      name: "too many open files are told as that, for reading and writing",
    },
  },
];
