import { networkWords } from "../nn/which.ts";
import { BrokenPictureError } from "../data/broken_picture.ts";
import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import type { Preparation } from "../data/preparation.ts";
import { validationBatches } from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { percent, plural } from "../data/words.ts";
import { picturePreparation } from "../export/picture_preparation.ts";
import { decode } from "../pictures/decode.ts";
import { defaultWorkers } from "../pictures/picture_pool.ts";
import type { Decoded } from "../pictures/picture_request.ts";
import { PictureWorkers } from "../pictures/picture_workers.ts";
import { readPicture } from "../pictures/read_picture.ts";
import { type FoundClass, topClasses } from "../train/classifier.ts";
import { ImageWork } from "../train/image_work.ts";
import type { Reporter, Which } from "../train/types.ts";
import { namedPictures, STANDARD_INPUT } from "./run/named_pictures.ts";
import { type ReadNetwork, readNetwork } from "./run/open_network.ts";
import { unusable } from "./option_value.ts";
import type { Output } from "./run/session.ts";
import { showingWork } from "./run/working.ts";

/** What is asked, and of which network. */
export interface PredictOptions {
  /** A run folder, a checkpoint of a run, or a safetensors or ONNX file. */
  readonly run: string;
  /** Files, folders, and `-` for the standard input. */
  readonly pictures: readonly string[];
  /** How many classes are wanted of each picture. */
  readonly top: number;
  /** Which network of a run. Default: small, where there is one. */
  readonly which?: Which;
  readonly batchSize: number;
  readonly json: boolean;
  /** Whether only predictions are printed, and which pictures are broken. */
  readonly quiet: boolean;
}

/** Pictures up to which no workers are started, as that takes longer than to decode them. */
const FEW = 4;

/** Bytes of the largest picture on the standard input. */
const LARGEST = 2 ** 29;

/** The picture on the standard input. */
async function readStandardInput(preparation: Preparation): Promise<Decoded> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of Deno.stdin.readable) {
    parts.push(part);
    size += part.length;
    if (size > LARGEST) return { kind: "broken", reason: `more than ${LARGEST} bytes` };
  }
  try {
    const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
    return { kind: "picture", picture: await decode(bytes, preparation) };
  } catch (error) {
    if (!(error instanceof BrokenPictureError)) throw error;
    return { kind: "broken", reason: error.message };
  }
}

/** Pictures in files, one after the other. */
class Asked {
  /** How many of them are broken so far. */
  broken = 0;
  readonly set: PictureSet;

  constructor(
    { info: { classes, image: [height, width, channels] } }: ReadNetwork,
    { files, preparation, workers, note }: {
      readonly files: readonly string[];
      readonly preparation: Preparation;
      readonly workers?: PictureWorkers;
      /** Is told of broken pictures. */
      readonly note: (text: string) => void;
    },
  ) {
    const read = (path: string): Promise<Decoded> =>
      path === STANDARD_INPUT
        ? readStandardInput(preparation)
        : workers?.decode({ path, preparation }) ?? readPicture({ path, preparation });
    const source: PictureSet["source"] = {
      area: height * width,
      varied: false,
      read: async (place) => {
        const found = await read(files[place]);
        if (found.kind === "picture") return found.picture;
        this.broken++;
        note(`${printable(files[place], 300)}: ${found.reason}`);
      },
    };
    const labels = new Uint8Array(files.length);
    const [name, { length }] = ["the pictures", files];
    this.set = { name, classes, length, height, width, channels, labels, source, files };
  }
}

function preparationFor({ info, file }: ReadNetwork): Preparation {
  try {
    return picturePreparation(info);
  } catch (cause) {
    const [, , channels] = info.image;
    throw new DataError(
      `Cannot predict with ${
        printable(file, 300)
      }: wanted a network for grey or RGB, found one for ` +
        `images of ${channels} channels`,
      { cause },
    );
  }
}

/** Classes with their probabilities, as a line has them. */
function classesText(found: readonly FoundClass[]): string {
  return found.map(({ class: name, probability }) => `${printable(name)} ${percent(probability)}`)
    .join("  ");
}

/** Prints predictions as they come: a line each, or the entries of an array. */
class Predicted {
  readonly #print: (text: string) => void;
  readonly #json: boolean;
  #count = 0;

  constructor(print: (text: string) => void, json: boolean) {
    this.#print = print;
    this.#json = json;
  }

  add(file: string, predictions: readonly FoundClass[]): void {
    if (!this.#json) this.#print(`${printable(file, 300)}  ${classesText(predictions)}\n`);
    else {
      this.#print(`${this.#count ? "," : "["}\n  ${JSON.stringify({ file, predictions })}`);
    }
    this.#count++;
  }

  end(): void {
    if (this.#json) this.#print(this.#count ? "\n]\n" : "[]\n");
  }
}

async function predictAll(
  network: ReadNetwork,
  { asked, predicted, batch, top, reporter }: {
    readonly asked: Asked;
    readonly predicted: Predicted;
    readonly batch: number;
    readonly top: number;
    readonly reporter: Pick<Reporter, "work">;
  },
): Promise<void> {
  const { set } = asked;
  const { classes, length: total, files } = set;
  const session = await network.open(set, batch);
  try {
    const work = new ImageWork({ work: { what: "prediction", total }, reporter });
    for await (const { places, count, ...rest } of validationBatches({ dataset: set, batch })) {
      const own = Array.from(places ?? []);
      const logits = await session.logits({ ...rest, places, count });
      for (let row = 0; row < count; row++) {
        const found = logits.subarray(row * classes.length, (row + 1) * classes.length);
        if (!found.every(Number.isFinite)) {
          throw new DataError(
            `Cannot predict with ${
              printable(network.file, 300)
            }: wanted logits that are numbers, ` +
              `found others for ${printable(files[own[row]], 300)}; take other weights`,
          );
        }
        predicted.add(files[own[row]], topClasses(found, classes, top));
      }
      work.sent(count);
      work.waited();
    }
  } catch (error) {
    // Where none is left there is no batch; each has been named.
    if (asked.broken < total) throw error;
  } finally {
    await session.close();
  }
}

/**
 * Says what pictures show, one after the other. Broken ones are named and left out; says how many.
 * Raises a {@link DataError} for a network or a path that is not there.
 */
export async function predict(
  { run, pictures, top, which, batchSize, json, quiet }: PredictOptions,
  { print, printError }: Output,
): Promise<{ readonly broken: number }> {
  if (pictures.filter((path) => path === STANDARD_INPUT).length > 1) {
    throw unusable("- stands for the standard input, which is one picture, found it twice");
  }
  const { files, notes } = await namedPictures(pictures);
  const network = await readNetwork(run, which);
  const preparation = preparationFor(network);
  const batch = Math.min(batchSize, files.length);
  using workers = files.length > FEW ? new PictureWorkers({ count: defaultWorkers() }) : undefined;
  return await showingWork(printError, { quiet }, async (line) => {
    const note = (text: string): void => line.note(text);
    // A picture without an answer is an error, which is told at any rate.
    const failed = quiet ? (text: string): void => printError(`adjoin: ${text}\n`) : note;
    // Lines that people see come are all they need.
    const reporter = Deno.stdout.isTerminal() ? { work() {} } : line;
    const { info: { which, image }, file } = network;
    note(`${printable(file, 300)}: the ${networkWords(which)}, images of ${image.join("x")}`);
    notes.forEach(note);
    const asked = new Asked(network, { files, preparation, workers, note: failed });
    const predicted = new Predicted((text) => {
      if (Deno.stdout.isTerminal()) line.clear();
      print(text);
    }, json);
    await predictAll(network, { asked, predicted, batch, top, reporter });
    predicted.end();
    const { broken } = asked;
    if (broken) note(`left out ${plural(broken, "broken picture")} of ${files.length}`);
    return { broken };
  });
}
