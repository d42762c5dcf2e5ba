import { assertStringIncludes } from "@std/assert";
import { costTables } from "../bench/cost.ts";
import { lacks } from "./permissions.ts";

Deno.test({
  name: "docs/recipes.md has what `deno task bench cost` prints",
  ignore: lacks("read"),
  fn: async () => {
    const text = Deno.readTextFileSync(new URL("../docs/recipes.md", import.meta.url));
    assertStringIncludes(text, await costTables());
  },
});
