import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { print, printError } from "../print.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { whichOf } from "./which_of.ts";

/** Says what pictures show. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [run, ...pictures] } = readArguments("predict", args);
  await useWebgpu(values.webgpu);
  const { predict } = await import("../predict.ts");
  const { broken } = await predict({ run, pictures, ...values, which: whichOf(values) }, {
    print,
    printError,
  });
  return broken ? EXIT.data : EXIT.ok;
}
