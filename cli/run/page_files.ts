import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import type { CheckpointInfo } from "../../export/metadata.ts";
import type { OnnxInfo } from "../../export/onnx.ts";
import { loadRuntime, RUNTIME } from "../../export/onnx_runtime.ts";
import { picturePreparation } from "../../export/picture_preparation.ts";
import type { PageData } from "../page/page_data.ts";
import { browserScript } from "./browser_script.ts";
import { shellWord } from "./shell_word.ts";
import { unwritable } from "./unwritable.ts";
import { writeWhole } from "./whole_file.ts";

/** The folder of onnxruntime-web beside a page; pages of one folder share it. */
export const RUNTIME_FOLDER = `onnxruntime-web-${RUNTIME}`;

/** What a browser needs of onnxruntime-web for WebGPU and WebAssembly. */
export const RUNTIME_FILES = [
  "ort.webgpu.bundle.min.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
] as const;

/** A file of the package onnxruntime-web, which is fetched where it is not there yet. */
export async function runtimeFile(name: typeof RUNTIME_FILES[number]): Promise<string> {
  await loadRuntime();
  return fileURLToPath(new URL(name, import.meta.resolve("onnxruntime-web/webgpu")));
}

/** The page of an ONNX file: `small.html` of `small.onnx`. */
export function pageOf(onnx: string): string {
  return `${onnx.replace(/\.onnx$/i, "")}.html`;
}

/**
 * The text of an asset, with words in the place of its marks: `{{ title }}`, in comments or quotes
 * where the language has no other place.
 */
async function filled(name: string, words: Readonly<Record<string, string>>): Promise<string> {
  const text = await Deno.readTextFile(new URL(`../page/${name}`, import.meta.url));
  const mark = /(?:\/\* |\/\/ |")?\{\{ ?(\w+) ?\}\}(?: \*\/|")?/g;
  return text.replace(mark, (_, word) => words[word]);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The page for an ONNX file beside it: HTML that holds all it needs but onnxruntime-web. */
export async function pageText(model: string, info: OnnxInfo): Promise<string> {
  const { classes, image, normalization, range, top1 } = info;
  const data: PageData = {
    model,
    runtime: RUNTIME_FOLDER,
    preparation: picturePreparation(info),
    ...{ classes, image, normalization, range },
    ...top1 === undefined ? {} : { top1 },
  };
  return await filled("page.html", {
    title: escaped(basename(model).replace(/\.onnx$/i, "")),
    style: await filled("page.css", {}),
    // No class can end the element.
    network: JSON.stringify(data).replaceAll("<", "\\u003c"),
    script: await browserScript(new URL("../page/app.ts", import.meta.url)),
  });
}

/** Raises a {@link DataError} for a network of images that pictures cannot become. */
export function demandPictures(info: CheckpointInfo, file: string): void {
  try {
    picturePreparation(info);
  } catch (cause) {
    throw new DataError(
      `Cannot write a page for ${printable(file, 300)}: wanted a network for grey or RGB, found ` +
        `one for images of ${info.image[2]} channels; leave out --page`,
      { cause },
    );
  }
}

/** Puts onnxruntime-web into a folder, where it does not lie there yet. */
async function writeRuntime(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  for (const name of RUNTIME_FILES) {
    const from = await runtimeFile(name);
    const there = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    if (there?.size === (await Deno.stat(from)).size) continue;
    await writeWhole(`${folder}/${name}`, await Deno.readFile(from));
  }
}

/**
 * Writes the page of an ONNX file into its folder, and onnxruntime-web beside it. Raises a
 * `UsageError` for what cannot be written.
 */
export async function writePage(page: string, onnx: string, info: OnnxInfo): Promise<void> {
  const text = await pageText(basename(onnx), info);
  await writeRuntime(`${dirname(page)}/${RUNTIME_FOLDER}`);
  await writeWhole(page, new TextEncoder().encode(text));
}

/** Where a page is, and how to open it. */
export function pageWords(page: string): string {
  const served = `python3 -m http.server --directory ${shellWord(dirname(page))}`;
  return `${page}: serve its folder, as with ${served}, and open ` +
    `http://localhost:8000/${encodeURIComponent(basename(page))}`;
}
