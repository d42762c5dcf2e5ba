// This project as one of the peers, in a process of its own: a line of JSON for each request.
//   deno run ... bench/served.ts --precision mixed --webgpu dawn
import { quietDrivers } from "../cli/environment.ts";
import { errorMessage } from "../cli/error_message.ts";
import { printError } from "../cli/print.ts";
import { either } from "../cli/text.ts";
import { IMPLEMENTATIONS } from "../cli/webgpu/implementation_names.ts";
import { useWebgpu } from "../cli/webgpu/use_webgpu.ts";
import { printable } from "../data/printable.ts";
import { Gpu } from "../kernels/gpu.ts";
import { UsageError } from "../train/errors.ts";
import { precisionOn, PRECISIONS } from "../train/precision.ts";
import { Own } from "./own.ts";
import { answerAll } from "./peers/serve.ts";
import { takeFlags } from "./trials.ts";

/** Characters of an error. */
const LONGEST = 400;

/** Opens what flags name, and answers. */
async function served(args: readonly string[]): Promise<never> {
  const { given, rest } = takeFlags(args, ["precision", "webgpu"]);
  const choice = PRECISIONS.find((name) => name === (given("precision").at(-1) ?? "float32"));
  const webgpu = IMPLEMENTATIONS.find((name) => name === (given("webgpu").at(-1) ?? "deno"));
  if (!choice || !webgpu || rest.length) {
    const wanted = `--precision with ${either(PRECISIONS)}, --webgpu with ${
      either(IMPLEMENTATIONS)
    }`;
    throw new UsageError(`Cannot serve: wanted ${wanted}, found ${printable(args.join(" "))}`);
  }
  quietDrivers();
  await useWebgpu(webgpu);
  const gpu = await Gpu.open();
  const own = new Own(gpu, precisionOn(gpu, choice));
  const { name, version, device } = own;
  return await answerAll({ name, version, device }, async (request) => {
    if (request.do === "prepare") return await own.prepare(request.task);
    return { ms: await own.run() };
  });
}

if (import.meta.main) {
  try {
    await served(Deno.args);
  } catch (error) {
    printError(`Error: ${printable(errorMessage(error, ["bench", "peers"]), LONGEST)}\n`);
    Deno.exit(1);
  }
}
