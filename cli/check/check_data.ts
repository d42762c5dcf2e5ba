// Checks the pictures of a data set without training.
import { basename, resolve } from "node:path";
import { DataError } from "../../data/error.ts";
import type { Picture } from "../../data/picture.ts";
import type { Preparation } from "../../data/preparation.ts";
import { printable } from "../../data/printable.ts";
import type { FileSetName } from "../../data/recipes.ts";
import { FILE_SETS } from "../../data/sets/mod.ts";
import type { PictureFiles, PictureSide } from "../../data/sets/picture_files.ts";
import { recognizeDataset } from "../../data/sets/recognize.ts";
import { defaultWorkers } from "../../pictures/picture_pool.ts";
import { PictureWorkers } from "../../pictures/picture_workers.ts";
import { UsageError } from "../../train/errors.ts";
import type { Reporter } from "../../train/types.ts";
import { CELL, contactSheet, type SheetRow } from "../report/contact_sheet.ts";
import { makeFolderOf, outputFile } from "../run/export_output.ts";
import { statOf } from "../run/replacing.ts";
import { writeWhole } from "../run/whole_file.ts";
import { grouped } from "../text.ts";
import { type CheckedSide, type DataReport, reportOn } from "./data_report.ts";
import { checkPictures } from "./picture_check.ts";

/** What to check, and where the sheet goes. */
export interface CheckOptions {
  readonly folder: string;
  readonly dataset?: FileSetName;
  readonly output?: string;
  readonly overwrite: boolean;
}

/** Classes on the sheet at most. */
const MOST_ROWS = 100;

/** Pictures of a class on the sheet: of training and validation, or of training alone. */
const COLUMNS = { train: 6, validation: 3, alone: 9 } as const;

const SHOWN: Preparation = {
  kind: "central",
  channels: 3,
  size: CELL,
  cropPct: 1,
  interpolation: "bilinear",
};

/** Milliseconds between two reports of how far it is. */
const PAUSE = 200;

/** The pictures of the set, of which none is opened yet. */
async function findAll({ folder, dataset }: CheckOptions): Promise<PictureFiles> {
  const name = dataset ?? await recognizeDataset(folder) ?? "folder";
  const found = await FILE_SETS[name].pictures?.(folder, ["train", "test"]);
  if (found) return found;
  throw new DataError(
    `Cannot check ${
      printable(folder, 300)
    }: wanted pictures in folders of classes, found the files ` +
      `of ${name}, which are read whole`,
  );
}

/** The file for the sheet. Raises a {@link UsageError} where it would replace another's. */
function sheetFile({ folder, output, overwrite }: CheckOptions): string {
  // A folder that is named by nothing, as "." or "/", has no name of its own.
  const name = basename(resolve(folder)) || "root";
  if (output === undefined) return `runs/data-${name}/sheet.png`;
  const file = outputFile(output, "sheet.png");
  if (overwrite || !statOf(file)) return file;
  throw new UsageError(
    `Cannot write ${file}: it is there already; choose another --output or pass --overwrite`,
  );
}

/** The places of some pictures of each of the first classes, evenly among those of the class. */
function chosen({ labels }: PictureSide, columns: number): Map<number, number[]> {
  const places = new Map<number, number[]>();
  labels.forEach((label, place) => {
    if (label >= MOST_ROWS) return;
    const found = places.get(label);
    if (found) found.push(place);
    else places.set(label, [place]);
  });
  for (const [label, all] of places) {
    const count = Math.min(columns, all.length);
    const some = Array.from({ length: count }, (_, i) => all[Math.floor(i * all.length / count)]);
    places.set(label, some);
  }
  return places;
}

/** A side whose pictures have been opened, and those of them that are shown, by their class. */
interface Shown extends CheckedSide {
  readonly columns: number;
  readonly places: ReadonlyMap<number, readonly number[]>;
}

function rowsOf({ classes }: PictureFiles, sides: readonly Shown[]): SheetRow[] {
  return classes.slice(0, MOST_ROWS).map((name, label) => ({
    label: name,
    blocks: sides.map(({ places, checked }): (Picture | undefined)[] =>
      (places.get(label) ?? []).map((place) => checked.shown.get(place))
    ),
  }));
}

/**
 * Opens every picture of a set once, and writes a sheet of some of each class. Raises a
 * {@link DataError} for a folder that no run could open, before a picture is opened.
 */
export async function checkData(
  options: CheckOptions,
  reporter: Pick<Reporter, "work">,
): Promise<DataReport> {
  const { folder } = options;
  const sheet = sheetFile(options);
  const found = await findAll(options);
  const { train, validation, classes } = found;
  if (!train) throw new Error(`The training pictures of ${found.name} were not looked for`);
  const total = train.files.length + (validation?.files.length ?? 0);
  let [done, told] = [0, 0];
  const report = () => reporter.work({ what: "check", done, total, unit: "pictures" });
  const count = () => {
    done++;
    if (performance.now() - told < PAUSE && done < total) return;
    told = performance.now();
    report();
  };
  report();
  using workers = new PictureWorkers({ count: defaultWorkers() });
  const check = async (side: PictureSide, most: number): Promise<Shown> => {
    const places = chosen(side, most);
    const columns = Math.max(...[...places.values()].map(({ length }) => length));
    const show = new Set([...places.values()].flat());
    const { files } = side;
    const checked = await checkPictures({ files, show, preparation: SHOWN, workers, done: count });
    return { side, checked, columns, places };
  };
  await makeFolderOf(sheet);
  const first = await check(train, validation ? COLUMNS.train : COLUMNS.alone);
  const second = validation && await check(validation, COLUMNS.validation);
  const sides = [first, ...second ? [second] : []];
  const more = classes.length - MOST_ROWS;
  const bytes = await contactSheet({
    title: `${printable(basename(resolve(folder)), 60)}: ${grouped(classes.length)} classes, ` +
      `${grouped(total)} pictures`,
    blocks: sides.map(({ side: { name }, columns }) => ({ name: printable(name, 20), columns })),
    rows: rowsOf(found, sides),
    ...more > 0 && { footer: `and ${grouped(more)} more classes` },
  });
  await writeWhole(sheet, bytes);
  return reportOn(found, { train: first, validation: second }, { folder, sheet });
}
