import type { BenchCommand } from "../../bench/main.ts";
import { EXIT } from "../exit.ts";
import { print } from "../print.ts";

/** Times something. */
export async function run(args: readonly string[], command: BenchCommand): Promise<number> {
  const { bench } = await import("../../bench/main.ts");
  await bench(command, args, print);
  return EXIT.ok;
}
