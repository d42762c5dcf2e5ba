import { messageOf } from "../data/message_of.ts";
import { walk } from "@std/fs";
import { readArguments } from "../cli/arguments.ts";
import { unusable } from "../cli/option_value.ts";
import { trainRequest } from "../cli/options.ts";
import { DataError } from "../data/error.ts";
import { median } from "../data/median.ts";
import type { PictureSource } from "../data/pictures.ts";
import type { Preparation } from "../data/preparation.ts";
import { printable } from "../data/printable.ts";
import { openPicturePool } from "../pictures/picture_pool.ts";
import { preparations } from "../train/augment/plan.ts";
import { withMadePictures } from "./made_photographs.ts";
import { ProcessPeer } from "./peer.ts";
import { markdownTable } from "./cells.ts";
import type { LoaderTask } from "./work.ts";

/** What is timed. */
export interface LoadersOptions {
  /** A folder of folders of pictures; photographs are made unless told. */
  readonly dir?: string;
  readonly workers: readonly number[];
  readonly imageSizes: readonly number[];
  readonly repeats: number;
}

/** Pictures a second of one task. */
interface Speed {
  readonly task: LoaderTask;
  readonly ours: number;
  /** Those of torchvision's DataLoader, where it is there. */
  readonly peer?: number;
  /** The median of the ratios of runs that followed one another. */
  readonly ratio?: number;
}

/** What came of it. */
export interface Loaders {
  readonly pictures: string;
  readonly peer: string;
  readonly speeds: readonly Speed[];
}

/** Pictures of a batch. */
const BATCH = 16;
/** Pictures that are read at most in one run. */
const MOST_FILES = 512;
/** Pictures that are asked for ahead, as in training. */
const AHEAD = 3 * BATCH;

const FOLDER = new URL("./peers/", import.meta.url);

/** How pictures are prepared for training and validation, as `train` does it unless told. */
function preparationOf({ kind, size }: LoaderTask): Preparation {
  const args = ["--dataset", "folder", "--data-dir", ".", "--image-size", String(size)];
  const { options } = trainRequest(readArguments("train", args));
  const { train, validation } = preparations({ ...options, imageSize: size });
  return kind === "level" ? train : validation;
}

/** Reads all pictures; gives how many a second there were after the first batch. */
async function pace(source: PictureSource, count: number): Promise<number> {
  const asked: Promise<unknown>[] = [];
  let start = 0;
  for (let i = 0; i < count + AHEAD; i++) {
    if (i < count) {
      const found = source.read(i);
      // It is waited for later, when an earlier one may have ended the bench.
      found.catch(() => {});
      asked.push(found);
    }
    if (i < AHEAD) continue;
    await asked.shift();
    if (i - AHEAD + 1 === BATCH) start = performance.now();
  }
  return 1000 * (count - BATCH) / (performance.now() - start);
}

async function ownPace(task: LoaderTask, files: readonly string[]): Promise<number> {
  const { dir: dataDir, workers } = task;
  using pool = openPicturePool({ dataDir, workers, cache: "none" });
  return await pace(pool.open(files, preparationOf(task)), files.length);
}

async function filesIn(dir: string): Promise<string[]> {
  const files: string[] = [];
  const exts = [".jpg", ".jpeg", ".png", ".webp"];
  for await (const { path } of walk(dir, { exts, includeDirs: false })) files.push(path);
  if (files.length > BATCH) return files.sort().slice(0, MOST_FILES);
  throw new DataError(
    `Cannot time the pictures in ${printable(dir, 300)}: wanted more than ${BATCH}, found ` +
      `${files.length}`,
  );
}

/** torchvision's DataLoader in a process of its own, or why there is none. */
async function startPeer(): Promise<ProcessPeer | string> {
  const programs = ["python3", "/usr/bin/python3"];
  try {
    return await ProcessPeer.start(
      { name: "torchvision", programs, args: ["dataloader.py"] },
      FOLDER,
    );
  } catch (error) {
    return messageOf(error);
  }
}

async function timeFolder(
  dir: string,
  { workers, imageSizes, repeats }: LoadersOptions,
  say: (line: string) => void,
): Promise<Loaders> {
  const files = await filesIn(dir);
  const peer = await startPeer();
  const there = typeof peer !== "string";
  const speeds: Speed[] = [];
  try {
    for (const size of imageSizes) {
      for (const kind of ["level", "central"] as const) {
        for (const count of workers) {
          const task = { dir, kind, size, workers: count, batch: BATCH, files: files.length };
          if (there) await peer.prepare(task);
          const [ours, theirs]: [number[], number[]] = [[], []];
          for (let i = 0; i < repeats; i++) {
            ours.push(await ownPace(task, files));
            if (there) theirs.push(1000 / await peer.run());
          }
          const ratios = theirs.map((pace, i) => ours[i] / pace);
          speeds.push({
            ...{ task, ours: median(ours) },
            ...there ? { peer: median(theirs), ratio: median(ratios) } : {},
          });
          say(`${kind} ${size}, workers ${count}: ${median(ours).toFixed(1)} pictures/s`);
        }
      }
    }
  } finally {
    if (there) await peer.close();
  }
  const name = there ? `${peer.name} ${peer.version}` : `torchvision (${peer})`;
  return { pictures: `${files.length} pictures`, peer: name, speeds };
}

/** Times how fast pictures are read, by number of workers, size and preparation. */
export async function timeLoaders(
  options: LoadersOptions,
  say: (line: string) => void,
): Promise<Loaders> {
  const fraction = [...options.workers, ...options.imageSizes].find((n) => !Number.isInteger(n));
  if (fraction !== undefined) {
    throw unusable(`--workers and --image-sizes are whole numbers, found ${fraction}`);
  }
  const { dir } = options;
  if (dir !== undefined) return await timeFolder(await Deno.realPath(dir), options, say);
  return await withMadePictures((made) => timeFolder(made, options, say));
}

/** The table of pictures a second. */
export function dataText({ pictures, peer, speeds }: Loaders, flags: string): string {
  const { hardwareConcurrency: cores } = navigator;
  const rows = speeds.map(({ task: { kind, size, workers }, ours, peer, ratio }) => [
    kind === "level" ? `to train at ${size}` : `to validate at ${size}`,
    String(workers),
    ours.toFixed(0),
    peer === undefined ? "missing" : peer.toFixed(0),
    ratio === undefined ? "" : `${ratio.toFixed(2)}x`,
  ]);
  const command = ["deno task bench data", flags].join(" ").trim();
  return [
    `\`${command}\`; Deno ${Deno.version.deno}, ${cores} cores, ${pictures}; pictures a second.`,
    "",
    markdownTable([["prepared", "workers", "adjoin", peer, "ratio"], ...rows]),
  ].join("\n");
}
