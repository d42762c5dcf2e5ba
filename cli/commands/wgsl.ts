import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { print } from "../print.ts";

/** Prints the shaders of an op. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [op] } = readArguments("wgsl", args);
  const { wgslText } = await import("../wgsl.ts");
  print(await wgslText({ op, ...values }));
  return EXIT.ok;
}
