import { curable, cure } from "../cure.ts";
import { readdir } from "node:fs/promises";
import { openBytes } from "../byte_source.ts";
import { DataError } from "../error.ts";
import { printable } from "../printable.ts";
import { abridged, plural } from "../words.ts";
import type { FileSet } from "./file_set.ts";
import { hasPictureName, listFolder } from "./picture_folder.ts";
import type { PictureFiles, PictureSide } from "./picture_files.ts";
import { pictureHalves } from "./picture_halves.ts";
import type { Half } from "./set_files.ts";

/** Bytes of a list at most; the published ones have less than 200,000. */
const LARGEST = 1 << 24;

const LISTS: Readonly<Record<Half, string>> = { train: "trainval.txt", test: "test.txt" };

const WANTED = "images/ with pictures and annotations/ with trainval.txt and test.txt";

const CURE = "unpack images.tar.gz and annotations.tar.gz of the Oxford-IIIT Pets there";

/** Class ids at most: more would be no ids of classes. */
const MOST_CLASSES = 65536;

/** A line of a list: the name of a picture without its ending, and its class from 0 on. */
interface Entry {
  readonly name: string;
  readonly label: number;
}

async function hasBoth(dir: string): Promise<boolean> {
  const names: string[] = await readdir(dir).catch(() => []);
  return names.includes("images") && names.includes("annotations");
}

/** The folder with `images` and `annotations`, which may be a level deeper. */
async function rootOf(dataDir: string): Promise<string | undefined> {
  if (await hasBoth(dataDir)) return dataDir;
  for (const name of (await listFolder(dataDir)).folders) {
    if (await hasBoth(`${dataDir}/${name}`)) return `${dataDir}/${name}`;
  }
}

/** The lines of a list, as `Abyssinian_100 1 1 1`: a picture, its class from 1 on, and more numbers. */
async function readList(path: string): Promise<Entry[]> {
  const fail = (wanted: string, found: string) =>
    new DataError(`Cannot read ${printable(path, 300)}: wanted ${wanted}, found ${found}`);
  await using source = await openBytes(path);
  const bytes = new Uint8Array(Math.min(source.most, LARGEST + 1));
  const filled = await source.fill(bytes);
  if (filled > LARGEST) throw fail("a list of pictures", `more than ${LARGEST} bytes`);
  const entries: Entry[] = [];
  const seen = new Set<string>();
  const lines = new TextDecoder().decode(bytes.subarray(0, filled)).split("\n");
  for (const [i, line] of lines.entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const [name, id] = text.split(/\s+/);
    const number = /^\d+$/.test(id ?? "") ? Number(id) : 0;
    if (!/_\d+$/.test(name) || name.includes("/") || number < 1 || number > MOST_CLASSES) {
      throw fail(
        "lines as Abyssinian_100 1 1 1, a picture and its class from 1 on",
        `${printable(text)} in line ${i + 1}`,
      );
    }
    if (seen.has(name)) {
      throw fail("each picture once", `${printable(name)} again in line ${i + 1}`);
    }
    seen.add(name);
    entries.push({ name, label: number - 1 });
  }
  if (entries.length === 0) throw fail("a list of pictures", "no line with one");
  return entries;
}

/** The names of classes in the order of their numbers: those of their pictures without `_100`. */
function classesOf(folder: string, lists: readonly (readonly Entry[])[]): string[] {
  const fail = (found: string) =>
    new DataError(
      `Cannot open pets in ${
        printable(folder, 300)
      }: wanted one name for each class, found ${found}`,
    );
  const classes: string[] = [];
  for (const { name, label } of lists.flat()) {
    const found = name.replace(/_\d+$/, "");
    const known = classes[label] ?? found;
    if (known !== found) {
      throw fail(`${printable(known)} and ${printable(found)} as class ${label + 1}`);
    }
    classes[label] = found;
  }
  const missing = Array.from(classes, (name: string | undefined) => name).indexOf(undefined);
  if (missing >= 0) throw fail(`no picture of class ${missing + 1}, but of ${classes.length}`);
  const twice = classes.find((name, i) => classes.indexOf(name) !== i);
  if (twice !== undefined) throw fail(`${printable(twice)} as two classes`);
  return classes;
}

/** Raises a {@link DataError} for a class that only one list has. */
function checkSides(folder: string, classes: readonly string[], lists: readonly Entry[][]): void {
  const [train, test] = lists.map((entries) => new Set(entries.map(({ label }) => label)));
  const only = (here: Set<number>, there: Set<number>): string =>
    abridged(
      classes.filter((_, i) => here.has(i) && !there.has(i)).map((name) => printable(name, 60)),
      6,
    );
  const found = [
    ...only(train, test) ? [`${only(train, test)} only in ${LISTS.train}`] : [],
    ...only(test, train) ? [`${only(test, train)} only in ${LISTS.test}`] : [],
  ];
  if (!found.length) return;
  throw new DataError(
    `Cannot open pets in ${printable(folder, 300)}: wanted the same classes in both lists, found ` +
      found.join(" and "),
  );
}

function sideOf(
  folder: string,
  half: Half,
  entries: readonly Entry[],
  names: ReadonlyMap<string, string>,
): PictureSide {
  const missing = entries.filter(({ name }) => !names.has(name));
  if (missing.length) {
    throw new DataError(
      `Cannot open pets in ${printable(folder, 300)}: wanted the pictures that ${
        LISTS[half]
      } names ` +
        `in images/, found none of ${abridged(missing.map(({ name }) => printable(name)), 3)}; ` +
        `unpack all of images.tar.gz there`,
    );
  }
  return {
    name: half,
    part: half,
    files: entries.map(({ name }) => `${folder}/images/${names.get(name)}`),
    labels: Uint16Array.from(entries, ({ label }) => label),
    notes: [],
    others: 0,
  };
}

async function findPets(dataDir: string, halves: readonly Half[]): Promise<PictureFiles> {
  const folder = await rootOf(dataDir);
  if (folder === undefined) {
    const { folders, files } = await listFolder(dataDir);
    const found = [...folders, ...files].map((name) => printable(name, 60));
    throw new DataError(
      `Cannot open pets in ${printable(dataDir, 300)}: wanted ${WANTED}, found ${
        abridged(found, 6) || "an empty folder"
      }; ${CURE}`,
    );
  }
  const train = await readList(`${folder}/annotations/${LISTS.train}`);
  const test = await readList(`${folder}/annotations/${LISTS.test}`);
  const classes = classesOf(folder, [train, test]);
  checkSides(folder, classes, [train, test]);
  const { files } = await listFolder(`${folder}/images`);
  const pictures = files.filter(hasPictureName);
  const names = new Map(pictures.map((file) => [file.replace(/\.[^.]*$/, ""), file]));
  const listed = new Set([...train, ...test].map(({ name }) => name));
  const unlisted = [...names.keys()].filter((name) => !listed.has(name)).length;
  const both = new Set(train.map(({ name }) => name));
  const twice = test.filter(({ name }) => both.has(name)).map(({ name }) => printable(name));
  return {
    name: "pets",
    classes,
    ...halves.includes("train") && { train: sideOf(folder, "train", train, names) },
    ...halves.includes("test") && { validation: sideOf(folder, "test", test, names) },
    notes: [
      ...unlisted
        ? [
          `${plural(unlisted, "picture")} in images/ ${
            unlisted === 1 ? "is" : "are"
          } in no list and left out`,
        ]
        : [],
      ...twice.length
        ? [`${plural(twice.length, "picture")} in both lists: ${abridged(twice, 3)}`]
        : [],
    ],
  };
}

/** Oxford-IIIT Pets: pictures of 37 breeds, listed in `annotations`, where classes are from 1 on. */
export const pets: FileSet = {
  async isIn(dataDir) {
    const folder = await rootOf(dataDir).catch(() => undefined);
    const names: string[] = await readdir(`${folder}/annotations`).catch(() => []);
    return names.includes(LISTS.train) || names.includes(LISTS.test);
  },
  pictures: findPets,
  async open(options, halves) {
    const { dataDir } = options;
    if (dataDir === undefined) {
      throw curable(
        DataError,
        `Cannot open pets: wanted a folder with ${WANTED}, found none named`,
        cure`name it with ${{ option: "dataDir" }}, and ${CURE}`,
      );
    }
    return pictureHalves(await findPets(dataDir, halves), options);
  },
};
