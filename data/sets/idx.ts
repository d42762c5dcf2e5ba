import { nameClasses, readClassNames } from "../class_names.ts";
import { checkDataset } from "../dataset.ts";
import { DataError } from "../error.ts";
import { checkIdxShapes, largestLabel } from "../idx.ts";
import { readIdx, readIdxShape } from "../idx_file.ts";
import type { FileOptions, FileSet, Halves } from "./file_set.ts";
import { type Half, hasFiles, locate, type SetFiles, type Wanted } from "./set_files.ts";

function idxFile(
  stem: string,
  kind: string,
  { name, note = "" }: { name: string; note?: string },
): Wanted {
  const pattern = new RegExp(`^${stem}-${kind}[-.]idx\\d-ubyte(\\.gz)?$`);
  return { files: [{ name, pattern }], words: name + note };
}

const FILES: SetFiles = {
  cure: "put the four files of MNIST, Fashion-MNIST or a set in their format there",
  train: [
    idxFile("train", "images", { name: "train-images-idx3-ubyte" }),
    idxFile("train", "labels", { name: "train-labels-idx1-ubyte" }),
  ],
  test: [
    idxFile("t10k", "images", { name: "t10k-images-idx3-ubyte" }),
    idxFile("t10k", "labels", { name: "t10k-labels-idx1-ubyte", note: " (each may end in .gz)" }),
  ],
};

async function openIdx(options: FileOptions, halves: readonly Half[]): Promise<Halves> {
  const { dataDir, classes: count, classNames: known } = options;
  const { folder, paths } = await locate("idx", FILES, { dataDir, halves });
  const names = await readClassNames(folder);
  const files = [];
  for (const half of halves) {
    const [images, labels] = paths[half];
    const shapes = { images: await readIdxShape(images), labels: await readIdxShape(labels) };
    checkIdxShapes(shapes);
    files.push({ half, path: images, shape: shapes.images, labels: await readIdx(labels) });
  }
  const [first, second] = files.map(({ shape }) => shape);
  const sizes = ({ shape: [, height, width, channels = 1] }: { shape: readonly number[] }) =>
    `[${height},${width},${channels}]`;
  if (second && sizes(first) !== sizes(second)) {
    throw new DataError(
      `Cannot validate on ${second.fileName}: wanted images of ${
        sizes(first)
      } as in ${first.fileName}, found ${sizes(second)}; take both from the same set`,
    );
  }
  const largest = Math.max(...files.map(({ labels }) => largestLabel(labels)));
  const classes = nameClasses({ largest, count, names, known });
  const opened: Halves = {};
  for (const { half, path, shape: { shape }, labels: { values: labels } } of files) {
    const [length, height, width, channels = 1] = shape;
    const image = { name: `idx ${half}`, classes, height, width, channels };
    // Before pixels are read: an empty set, or labels that are out of range.
    checkDataset({
      ...image,
      length,
      labels,
      pixels: { length: length * height * width * channels },
    });
    opened[half] = {
      labels,
      read: async (places) => {
        const { values: pixels } = await readIdx(path, places);
        if (!places) return { ...image, length, pixels, labels };
        const taken = Uint8Array.from(places, (place) => labels[place]);
        return { ...image, length: places.length, pixels, labels: taken };
      },
    };
  }
  return opened;
}

/** A set in the format of MNIST: images of any size, of one to four channels. */
export const idx: FileSet = { isIn: (dataDir) => hasFiles(FILES, dataDir), open: openIdx };
