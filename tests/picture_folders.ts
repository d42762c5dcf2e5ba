// Folders of pictures that tests make.
import { dirname } from "node:path";
import type { FileOptions } from "../data/sets/file_set.ts";
import type { Picture } from "../data/picture.ts";
import { paint } from "../pictures/paint.ts";
import type { OpenPictures } from "../data/pictures.ts";
import type { Preparation } from "../data/preparation.ts";

/** Bytes that a JPEG begins with; enough where no picture is decoded. */
export const JPEG: Uint8Array = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70]);

/** Makes files: a JPEG's first bytes unless told; a string is the target of a symbolic link. */
export async function makeFiles(
  dir: string,
  files: readonly string[] | Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  const entries = Array.isArray(files)
    ? files.map((name: string) => [name, JPEG] as const)
    : Object.entries(files as Readonly<Record<string, Uint8Array | string>>);
  for (const [name, content] of entries) {
    await Deno.mkdir(dirname(`${dir}/${name}`), { recursive: true });
    if (typeof content === "string") await Deno.symlink(content, `${dir}/${name}`);
    else await Deno.writeFile(`${dir}/${name}`, content);
  }
}

/** A PNG of one colour. */
export function onePicture(
  { width = 8, height = 8, colour = [200, 60, 20] }: {
    width?: number;
    height?: number;
    colour?: readonly number[];
  } = {},
): Promise<Uint8Array> {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]);
  const picture = { width, height, channels: 3, pixels };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"></svg>`;
  return paint({ width, height }, [{ picture, x: 0, y: 0 }], svg);
}

/** Makes PNGs, each of a colour of its own. */
export async function makePictures(dir: string, files: readonly string[]): Promise<void> {
  const made: Record<string, Uint8Array> = {};
  for (const [i, file] of files.entries()) {
    made[file] = await onePicture({ colour: [(40 * i) % 256, (90 + 70 * i) % 256, i % 256] });
  }
  await makeFiles(dir, made);
}

const SIZE = 4;

/** How pictures of a test are prepared. */
export const PREPARE: { readonly train: Preparation; readonly validation: Preparation } = {
  train: { kind: "level", channels: 3, side: SIZE, area: 100 },
  validation: {
    kind: "central",
    channels: 3,
    size: SIZE,
    cropPct: 1,
    interpolation: "bilinear",
  },
};

/** What was asked of a source. */
export interface AskedOf {
  readonly files: readonly string[];
  readonly preparation: Preparation;
  readonly read: number[];
}

/** Sources that give the same pictures for the same files, without opening any. */
export function madeUp(
  picture: (file: string) => Picture | undefined = () => ({
    height: 2,
    width: 1,
    channels: 3,
    pixels: Uint8Array.of(0, 10, 20, 100, 110, 120),
  }),
): { readonly options: FileOptions & { readonly imageSize: number }; readonly asked: AskedOf[] } {
  const asked: AskedOf[] = [];
  const openPictures: OpenPictures = (files, preparation) => {
    const read: number[] = [];
    asked.push({ files, preparation, read });
    return {
      area: 100,
      varied: preparation.kind === "level",
      read(place) {
        read.push(place);
        return Promise.resolve(picture(files[place]));
      },
    };
  };
  return { options: { openPictures, prepare: PREPARE, imageSize: SIZE, channels: 3 }, asked };
}
