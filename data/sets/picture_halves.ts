import type { PictureSet } from "../pictures.ts";
import { printable } from "../printable.ts";
import { abridged } from "../words.ts";
import type { FileOptions, HalfOfFiles, Halves } from "./file_set.ts";
import type { PictureFiles, PictureSide } from "./picture_files.ts";

function half(
  { name: set, classes }: PictureFiles,
  side: PictureSide,
  { openPictures, prepare, imageSize, channels = 3 }: FileOptions,
): HalfOfFiles {
  if (!openPictures || !prepare || imageSize === undefined) {
    throw new Error(`The pictures of ${set} were opened without a way to decode them`);
  }
  return {
    part: side.part,
    labels: side.labels,
    read(places, part): Promise<PictureSet> {
      const files = places ? Array.from(places, (place) => side.files[place]) : side.files;
      return Promise.resolve({
        name: `${set} ${side.part}`,
        classes,
        length: files.length,
        height: imageSize,
        width: imageSize,
        channels,
        labels: places ? Uint16Array.from(places, (place) => side.labels[place]) : side.labels,
        source: openPictures(files, part === "train" ? prepare.train : prepare.validation),
        files,
      });
    },
  };
}

/** The halves of a set of pictures, which are decoded as the options say. */
export function pictureHalves(found: PictureFiles, options: FileOptions): Halves {
  const { train, validation, split, classes } = found;
  const sides = [train, validation].flatMap((side) => side ?? []);
  const names = abridged(classes.map((name) => printable(name, 40)), 10);
  return {
    ...train && { train: half(found, train, options) },
    ...validation && { test: half(found, validation, options) },
    split,
    notes: [
      `${classes.length} classes: ${names}`,
      ...found.notes,
      ...sides.flatMap(({ notes }) => notes),
    ],
  };
}
