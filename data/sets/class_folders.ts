import { readdir } from "node:fs/promises";
import type { DatasetPart } from "../dataset.ts";
import { DataError } from "../error.ts";
import { missingPermission } from "../missing_permission.ts";
import { printable } from "../printable.ts";
import { abridged, listed, plural } from "../words.ts";
import { findPictures, hasPictureName, listFolder, type Listing } from "./picture_folder.ts";
import { checkClasses, type PictureFiles, type PictureSide, sideOf } from "./picture_files.ts";
import type { Half } from "./set_files.ts";

/** Names of folders with pictures to validate on, in any letter case; the first that is there counts. */
const VALIDATION: readonly string[] = ["val", "valid", "validation", "test"];

/** The part of the training pictures that is validated on where there are no others. */
const SPLIT = 0.1;

/** One side, before its pictures are looked for. */
interface Side extends Pick<PictureSide, "name" | "part"> {
  readonly folder: string;
}

/** Where the pictures of a set are. */
interface Layout {
  readonly train: Side;
  readonly validation?: Side;
  readonly notes: readonly string[];
}

/** What was asked for. */
interface Asked {
  /** The name of the set. */
  readonly name: string;
  /** What messages call it. */
  readonly words: string;
  readonly dataDir: string;
}

const WANTED = "train/CLASS with val, valid, validation or test beside it, or folders of classes";

function refusal(
  { words, dataDir }: Asked,
  found: string,
  cure: string,
  wanted = WANTED,
): DataError {
  return new DataError(
    `Cannot open ${words} in ${printable(dataDir, 300)}: wanted ${wanted}, found ${found}; ${cure}`,
  );
}

function names(words: readonly string[], most = 6): string {
  return abridged(words.map((word) => printable(word, 60)), most);
}

/** What is in a folder, in words. */
function contents({ folders, files }: Listing): string {
  if (!folders.length && !files.length) return "an empty folder";
  const found = [
    ...folders.length ? [`${folders.length === 1 ? "folder" : "folders"} ${names(folders)}`] : [],
    ...files.length ? [`${files.length === 1 ? "file" : "files"} ${names(files, 3)}`] : [],
  ];
  return found.join(" and ");
}

/** The folder of a name in any letter case. */
function folderNamed(word: string, { folders }: Listing, asked: Asked): string | undefined {
  const [found, other] = folders.filter((name) => name.toLowerCase() === word);
  if (other === undefined) return found;
  throw refusal(asked, `${found} and ${other}`, "move the one that is not meant elsewhere");
}

/** The layout of a folder with a folder `train` that has folders of classes. */
async function halvesIn(dir: string, listing: Listing, asked: Asked): Promise<Layout | undefined> {
  const name = folderNamed("train", listing, asked);
  if (name === undefined) return undefined;
  const folder = `${dir}/${name}`;
  if ((await listFolder(folder)).folders.length === 0) return undefined;
  const found = VALIDATION.flatMap((word) => folderNamed(word, listing, asked) ?? []);
  const [side, ...unused] = found;
  if (side === undefined) return { train: { name, part: "train", folder }, notes: [] };
  const part: DatasetPart = side.toLowerCase() === "test" ? "test" : "validation";
  return {
    train: { name, part: "train", folder },
    validation: { name: side, part, folder: `${dir}/${side}` },
    notes: unused.length ? [`validated on ${side}; ${listed(unused)} is not read`] : [],
  };
}

/** The layouts of the folders in a folder, of those that have one with a folder `train`. */
async function layoutsBelow(dir: string, { folders }: Listing, asked: Asked): Promise<Layout[]> {
  const found: Layout[] = [];
  for (const name of folders) {
    const inside = `${dir}/${name}`;
    // Folders of classes may have very many files: most need no closer look.
    const names: string[] = await readdir(inside).catch(() => []);
    if (!names.some((name) => name.toLowerCase() === "train")) continue;
    const layout = await halvesIn(inside, await listFolder(inside), asked);
    if (layout) found.push(layout);
  }
  return found;
}

/** Finds out how a folder is laid out. `deeper` says whether the pictures may be one level below. */
async function layoutOf(dir: string, asked: Asked, deeper = true): Promise<Layout> {
  const listing = await listFolder(dir);
  const { folders, files } = listing;
  const halves = await halvesIn(dir, listing, asked);
  if (halves) return halves;
  const splits = folders.filter((name) => ["train", ...VALIDATION].includes(name.toLowerCase()));
  if (deeper) {
    const below = await layoutsBelow(dir, listing, asked);
    if (below.length === 1) return below[0];
    if (below.length > 1) {
      const several = below.map(({ train }) => train.folder);
      throw refusal(asked, `several: ${names(several, 3)}`, "name the one above it that is meant");
    }
    const [only, other] = folders;
    if (only !== undefined && other === undefined && !splits.length) {
      const inside = `${dir}/${only}`;
      if ((await listFolder(inside)).folders.length) return await layoutOf(inside, asked, false);
    }
  }
  if (folders.length === 0) {
    throw refusal(asked, contents(listing), "put the pictures of each class into a folder");
  }
  if (splits.length === folders.length) {
    const [first] = splits;
    const inside = contents(await listFolder(`${dir}/${first}`));
    throw first.toLowerCase() === "train"
      ? refusal(asked, `${first} with ${inside}`, "put the pictures of each class into a folder")
      : refusal(asked, `no train beside ${listed(splits)}`, "name the folder that has both");
  }
  const loose = files.filter(hasPictureName).length;
  return {
    train: { name: "train", part: "train", folder: dir },
    notes: loose
      ? [
        `${plural(loose, "picture")} in no folder of a class ${
          loose === 1 ? "is" : "are"
        } left out`,
      ]
      : [],
  };
}

/** Letter case and composition of accents put aside. */
function plain(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Raises a {@link DataError} unless both sides have the same classes. */
async function checkSameClasses(
  { train, validation }: Layout,
  classes: readonly string[],
  asked: Asked,
): Promise<void> {
  if (!validation) return;
  const { folders } = await listFolder(validation.folder);
  const onlyTrain = classes.filter((name) => !folders.includes(name));
  const onlyValidation = folders.filter((name) => !classes.includes(name));
  if (!onlyTrain.length && !onlyValidation.length) return;
  const found = [
    ...onlyTrain.length ? [`${names(onlyTrain)} only in ${train.name}`] : [],
    ...onlyValidation.length ? [`${names(onlyValidation)} only in ${validation.name}`] : [],
  ];
  const alike = onlyTrain.some((a) => onlyValidation.some((b) => plain(a) === plain(b)));
  throw refusal(
    asked,
    found.join(" and "),
    alike ? "give both the same spelling" : "add what is missing, or move the others elsewhere",
    `the same folders of classes in ${train.name} and ${validation.name}`,
  );
}

async function findSide(
  side: Side,
  classes: readonly string[],
  asked: Asked,
): Promise<PictureSide> {
  const folders = classes.map((name) => ({ name, path: `${side.folder}/${name}` }));
  const found = await findPictures(side.folder, folders);
  const empty = classes.filter((_, label) => found.files[label].length === 0);
  if (empty.length) {
    throw refusal(
      asked,
      `none of ${names(empty)}`,
      "add some, or move the folders of these classes elsewhere",
      `pictures of each class in ${side.name}`,
    );
  }
  return sideOf(side, found);
}

/**
 * Finds the pictures of a set in folders of classes: `train/CLASS` and `val`, `valid`, `validation`
 * or `test` beside it, or the folders of classes alone; a level deeper where an archive has made one.
 * Classes are sorted by code point. Raises a {@link DataError} for other folders, for a class that
 * only one side has, and for one without pictures.
 *
 * @param halves Those whose pictures are looked for; without a folder to validate on, `train`.
 */
export async function findClassFolders(
  asked: Asked,
  halves: readonly Half[],
): Promise<PictureFiles> {
  const layout = await layoutOf(asked.dataDir, asked);
  const { train, validation, notes } = layout;
  const classes = (await listFolder(train.folder)).folders;
  checkClasses(asked.words, classes);
  if (classes.length < 2) {
    throw refusal(
      asked,
      `only ${names(classes)}`,
      "one class alone teaches nothing",
      "2 classes or more",
    );
  }
  await checkSameClasses(layout, classes, asked);
  const wanted = { train: halves.includes("train") || !validation, test: halves.includes("test") };
  return {
    name: asked.name,
    classes,
    ...wanted.train && { train: await findSide(train, classes, asked) },
    ...validation && wanted.test && { validation: await findSide(validation, classes, asked) },
    ...!validation && { split: SPLIT },
    notes,
  };
}

/** Whether a folder is laid out as {@link findClassFolders} wants it. */
export async function hasClassFolders(dataDir: string): Promise<boolean> {
  try {
    await layoutOf(dataDir, { name: "folder", words: "pictures", dataDir });
    return true;
  } catch (error) {
    if (error instanceof DataError && !missingPermission(error)) return false;
    throw error;
  }
}
