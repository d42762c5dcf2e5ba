import { curable, cure } from "../cure.ts";
import { DataError } from "../error.ts";
import { printable } from "../printable.ts";
import { FILE_SET_NAMES, type FileSetName } from "../recipes.ts";
import { FILE_SETS } from "./mod.ts";

/**
 * The data set whose files are in a folder, by their names; folders of classes where there is no other.
 * Nothing where there is none that is known.
 */
export async function recognizeDataset(dataDir: string): Promise<FileSetName | undefined> {
  const others = FILE_SET_NAMES.filter((name) => name !== "folder");
  for (const name of [...others, "folder"] as const) {
    if (await FILE_SETS[name].isIn(dataDir)) return name;
  }
}

/** Raises a {@link DataError} where what is opened as folders of classes is another data set. */
export async function refuseOther(dataDir: string): Promise<void> {
  const found = await recognizeDataset(dataDir);
  if (found === undefined || found === "folder") return;
  throw curable(
    DataError,
    `Cannot open pictures in ${
      printable(dataDir, 300)
    }: wanted folders of classes, found the files of ` +
      `${found}`,
    cure`use ${{ option: "dataset" }} ${found}`,
  );
}
