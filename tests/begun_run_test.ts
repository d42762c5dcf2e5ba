// A run that ended before its first checkpoint is no obstacle to `--resume auto`.
import { assertEquals } from "@std/assert";
import { trainRequest } from "../cli/options.ts";
import { readRequest } from "../cli/resuming.ts";
import { hasOnlyBegun } from "../cli/run/found_run.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env");
const CONFIG = JSON.stringify({ model: "resnet8", dataset: "generated", seed: 0 });

Deno.test("--resume auto takes a named folder again that holds no more than a beginning", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const overwrites = async (resume: string): Promise<boolean> => {
      const args = ["--output", `${dir}/run`, ...resume ? ["--resume", resume] : []];
      return (await readRequest("train", args, trainRequest)).overwrite;
    };
    await Deno.mkdir(`${dir}/run/checkpoints`, { recursive: true });
    assertEquals(await overwrites("auto"), false);
    await Deno.writeTextFile(`${dir}/run/config.json`, CONFIG);
    await Deno.writeTextFile(`${dir}/run/batch.png`, "");
    assertEquals(hasOnlyBegun(`${dir}/run`), true);
    assertEquals([await overwrites("auto"), await overwrites("")], [true, false]);
    for (const name of ["metrics.jsonl", "base.safetensors", "summary.json"]) {
      await Deno.writeTextFile(`${dir}/run/${name}`, "");
      assertEquals(await overwrites("auto"), false, name);
      await Deno.remove(`${dir}/run/${name}`);
    }
    await Deno.mkdir(`${dir}/run/unfinished`);
    assertEquals(await overwrites("auto"), false);
  }));
