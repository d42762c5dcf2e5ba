import { curable, cure } from "../cure.ts";
import { DataError } from "../error.ts";
import { findClassFolders, hasClassFolders } from "./class_folders.ts";
import type { FileSet } from "./file_set.ts";
import { pictureHalves } from "./picture_halves.ts";
import type { Half } from "./set_files.ts";

/** Where pictures are to be, in words. */
const WANTED = "a folder with train/CLASS and val, valid, validation or test beside it, or with " +
  "folders of classes";

function findFolder(dataDir: string, halves: readonly Half[]) {
  return findClassFolders({ name: "folder", words: "pictures", dataDir }, halves);
}

/** Pictures of one's own, in folders of classes. */
export const folder: FileSet = {
  isIn: hasClassFolders,
  pictures: findFolder,
  async open(options, halves) {
    const { dataDir } = options;
    if (dataDir === undefined) {
      throw curable(
        DataError,
        `Cannot open pictures: wanted ${WANTED}, found none named`,
        cure`name it with ${{ option: "dataDir" }}`,
      );
    }
    return pictureHalves(await findFolder(dataDir, halves), options);
  },
};
