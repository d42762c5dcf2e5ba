import type { Seen } from "../evaluate.ts";
import { drawConfusion } from "../report/confusion_picture.ts";
import { validationWord } from "../report/header.ts";
import { drawMistakes } from "../report/mistakes_picture.ts";
import { UsageError } from "../../train/errors.ts";
import { networkWords } from "../../nn/which.ts";
import { unwritable } from "./unwritable.ts";
import { tryWriting, writeWhole } from "./whole_file.ts";

/** Makes the folder of `--output`. Raises a {@link UsageError} where it cannot be written to. */
export function makeEvaluationFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    tryWriting(folder);
  } catch (error) {
    throw unwritable(`${folder}/confusion.svg`, error);
  }
}

/**
 * Writes the confusion matrix, and a sheet of the most confident mistakes where there are any; gives
 * their paths. Their names begin with `prefix`. Raises a {@link UsageError} where they cannot be
 * written.
 */
export async function writeEvaluation(
  { report, predictions, dataset }: Seen,
  { folder, prefix }: { readonly folder: string; readonly prefix: string },
): Promise<string[]> {
  const { which, test, dataset: name } = report;
  const images = name.replace(/ (validation|test)$/, "");
  const title = `the ${networkWords(which)} on ${validationWord(test)} images of ${images}`;
  const { mistakes } = predictions;
  const files = new Map<string, Uint8Array>();
  const svg = await drawConfusion(predictions, { title, names: dataset.classes });
  files.set("confusion.svg", new TextEncoder().encode(svg));
  if (mistakes.length) {
    const most = `most confident mistakes of ${title}`;
    files.set("mistakes.png", await drawMistakes(mistakes, dataset, most));
  }
  const written: string[] = [];
  for (const [file, bytes] of files) {
    const path = `${folder.replace(/(?<=.)\/+$/, "")}/${prefix}${file}`;
    try {
      await writeWhole(path, bytes);
    } catch (error) {
      throw error instanceof UsageError ? error : unwritable(path, error);
    }
    written.push(path);
  }
  return written;
}
