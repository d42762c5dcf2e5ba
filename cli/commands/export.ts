import { printable } from "../../data/printable.ts";
import { listed } from "../../data/words.ts";
import { readArguments } from "../arguments.ts";
import { EXIT } from "../exit.ts";
import { unusable } from "../option_value.ts";
import { print, printError } from "../print.ts";
import { isFolder, smallNetworksOf } from "../run/run_images.ts";
import { showingWork } from "../run/working.ts";
import { whichOf } from "./which_of.ts";

/** Raises a `UsageError` for an output of several networks that is no folder. */
function demandFolder(output: string, networks: readonly string[]): void {
  if (isFolder(output) || output.endsWith("/")) return;
  throw unusable(
    `--output is a folder for several networks, found ${printable(output, 300)} for ` +
      `${listed(networks)}; pass --which`,
  );
}

/** Writes networks of a run as ONNX or for PyTorch. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals: [run] } = readArguments("export", args);
  const precision = values.int8 ? "int8" : values.fp16 ? "fp16" : undefined;
  const which = whichOf(values);
  const small = smallNetworksOf(run);
  const several = which === undefined && small.length > 1 ? small : undefined;
  if (several && values.output !== undefined) demandFolder(values.output, several);
  for (const one of several ?? [which]) {
    const options = { run, ...values, which: one };
    if (precision === undefined) {
      const { exportNetwork, exportText } = await import("../export.ts");
      print(
        exportText(await showingWork(printError, (reporter) => exportNetwork(options, reporter))),
      );
    } else {
      const { compactText, exportCompact } = await import("../export_compact.ts");
      const exported = await showingWork(
        printError,
        (reporter) => exportCompact(precision, options, reporter),
      );
      print(compactText(exported));
    }
  }
  return EXIT.ok;
}
