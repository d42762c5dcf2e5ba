import { readArguments } from "../arguments.ts";
import { paintFor } from "../colour.ts";
import { EXIT } from "../exit.ts";
import { print, printError } from "../print.ts";
import { useWebgpu } from "../webgpu/use_webgpu.ts";

/** Compares ops and training with the numbers in a folder. */
export async function run(args: readonly string[]): Promise<number> {
  const { values: { quiet, webgpu }, positionals: [dir] } = readArguments("parity", args);
  await useWebgpu(webgpu);
  const { parity } = await import("../../tests/parity/main.ts");
  const paint = paintFor(Deno.stdout);
  const told = (line: string): void =>
    print(`${line.replace(/^FAILED/, (word) => paint("red", word))}\n`);
  if (await parity(dir, told, { quiet })) return EXIT.ok;
  printError(`adjoin: some results are not equal to those in ${dir}\n`);
  return EXIT.verification;
}
