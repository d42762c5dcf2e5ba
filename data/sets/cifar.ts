import { curable, cure } from "../cure.ts";
import { Collected, openBytes } from "../byte_source.ts";
import { parseCifar10, parseCifar100 } from "../cifar.ts";
import { concatenate, type Dataset, pick } from "../dataset.ts";
import { DataError } from "../error.ts";
import { printable } from "../printable.ts";
import { findClassFolders, hasClassFolders } from "./class_folders.ts";
import type { FileOptions, FileSet, Halves } from "./file_set.ts";
import type { PictureFiles } from "./picture_files.ts";
import { pictureHalves } from "./picture_halves.ts";
import { type Half, hasFiles, locate, named, type SetFiles } from "./set_files.ts";

/** Bytes of a file of CIFAR at most; those that are published have less than half of it. */
const LARGEST_CIFAR = 400_000_000;

/** One of the two sets in its binary version. */
interface BinaryVersion {
  readonly name: string;
  readonly classes: number;
  readonly files: SetFiles;
  readonly parse: (bytes: Uint8Array, file: string) => Dataset;
}

async function openCifar(
  { name, files, parse }: BinaryVersion,
  { dataDir }: FileOptions,
  halves: readonly Half[],
): Promise<Halves> {
  const { paths } = await locate(name, files, { dataDir, halves });
  const open = async (path: string): Promise<Dataset> => {
    await using source = await openBytes(path);
    const most = Math.min(source.most, LARGEST_CIFAR + 1);
    const found = new Collected(source, most);
    await found.read(most);
    return parse(found.bytes, source.name);
  };
  const opened: Halves = {};
  for (const half of halves) {
    const [first, ...rest] = paths[half];
    const parts: [Dataset, ...Dataset[]] = [await open(first)];
    for (const path of rest) parts.push(await open(path));
    const whole = concatenate(`${name} ${half}`, parts);
    opened[half] = {
      labels: whole.labels,
      read: (places) => Promise.resolve(places ? pick(whole, places) : whole),
    };
  }
  return opened;
}

/** The set as pictures in folders of classes, where there are such and no file of the binary version. */
async function findFolders(
  { name, classes: wanted, files }: BinaryVersion,
  dataDir: string,
  halves: readonly Half[],
): Promise<PictureFiles | undefined> {
  if (await hasFiles(files, dataDir) || !await hasClassFolders(dataDir)) return undefined;
  const found = await findClassFolders({ name, words: name, dataDir }, halves);
  const { length } = found.classes;
  if (length === wanted) return found;
  throw curable(
    DataError,
    `Cannot open ${name} in ${
      printable(dataDir, 300)
    }: wanted folders of ${wanted} classes, found ${length}`,
    cure`use ${{ option: "dataset" }} folder for another set`,
  );
}

function fileSet(version: BinaryVersion): FileSet {
  return {
    isIn: (dataDir) => hasFiles(version.files, dataDir),
    pictures: (dataDir, halves) => findFolders(version, dataDir, halves),
    async open(options, halves) {
      const { dataDir } = options;
      const found = dataDir === undefined ? undefined : await findFolders(version, dataDir, halves);
      return found ? pictureHalves(found, options) : await openCifar(version, options, halves);
    },
  };
}

/** CIFAR-10: 32x32 pixels, 10 classes; its binary version, or pictures in folders of classes. */
export const cifar10: FileSet = fileSet({
  name: "cifar10",
  classes: 10,
  parse: parseCifar10,
  files: {
    folder: "cifar-10-batches-bin",
    cure: "unpack the binary version of CIFAR-10 (cifar-10-binary.tar.gz) there",
    train: [
      named(
        [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
        "data_batch_1.bin to data_batch_5.bin",
      ),
    ],
    test: [named(["test_batch.bin"])],
  },
});

/** CIFAR-100: 32x32 pixels, 100 classes; its binary version, or pictures in folders of classes. */
export const cifar100: FileSet = fileSet({
  name: "cifar100",
  classes: 100,
  parse: parseCifar100,
  files: {
    folder: "cifar-100-binary",
    cure: "unpack the binary version of CIFAR-100 (cifar-100-binary.tar.gz) there",
    train: [named(["train.bin"])],
    test: [named(["test.bin"])],
  },
});
