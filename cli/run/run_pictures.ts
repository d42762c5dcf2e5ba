import type { Cache, PicturePool } from "../../pictures/picture_pool.ts";
import { openPicturePool } from "../../pictures/picture_pool.ts";
import { cacheFolder } from "./kept_json.ts";

/** How the pictures of a command are decoded. */
export interface PictureOptions {
  readonly dataDir?: string;
  readonly workers?: number;
  readonly cache?: Cache;
  readonly strict?: boolean;
}

/**
 * Opens what decodes the pictures of a command, to be disposed of at its end; nothing runs before the
 * first picture is read. `note` is told of broken pictures.
 */
export async function openRunPictures(
  { dataDir = "", workers, cache, strict }: PictureOptions,
  note: (text: string) => void,
): Promise<PicturePool> {
  const folder = cache === "disk" ? await cacheFolder() : undefined;
  if (cache === "disk" && folder === undefined) {
    note("no pictures are kept on disk: neither XDG_CACHE_HOME nor HOME says where");
  }
  return openPicturePool({
    ...{ dataDir, workers, cache, strict, note },
    cacheFolder: folder && `${folder}/pictures`,
  });
}
