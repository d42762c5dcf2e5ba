import { recognizeDataset } from "../../data/sets/recognize.ts";
import { printable } from "../../data/printable.ts";
import type { Value } from "../../train/options/option.ts";
import { unusable } from "../option_value.ts";

/**
 * The data set of a command line that names a folder alone: folders of classes. Raises a
 * {@link UsageError} that names the data set whose files are there instead.
 */
export async function recognizedDataset(
  { dataset, dataDir }: Readonly<Record<string, Value>>,
): Promise<{ dataset?: Value }> {
  if (dataset !== undefined || dataDir === undefined) return {};
  const folder = String(dataDir);
  // What is wrong with a folder of another kind is said when it is opened.
  const found = await recognizeDataset(folder) ?? "folder";
  if (found === "folder") return { dataset: found };
  throw unusable(
    `--data-dir ${printable(folder, 300)} has the files of ${found}; add --dataset ${found}`,
  );
}
