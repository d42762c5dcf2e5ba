import type { Metadata } from "../../export/metadata.ts";
import { parseInfo } from "../../export/metadata.ts";
import { isRecord, parseJson } from "../../data/json.ts";
import { countLayers, type LayerCount } from "../../nn/count.ts";
import { parseNetwork } from "../../nn/network_json.ts";
import type { LayerWidth } from "./report_data.ts";

/** Bytes of a header that are read at most. */
const LONGEST = 1 << 26;

/** Kinds of layers that have filters of their own. */
const KINDS = ["conv2d", "linear"];

/** The strings in the header of a safetensors file; nothing where it is none. */
async function metadataOf(path: string): Promise<Metadata | undefined> {
  using file = await Deno.open(path);
  const bytes = async (count: number): Promise<Uint8Array<ArrayBuffer>> => {
    const read = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const more = await file.read(read.subarray(at));
      if (more === null) throw new Error("it is cut off");
      at += more;
    }
    return read;
  };
  const length = Number(new DataView((await bytes(8)).buffer).getBigUint64(0, true));
  if (!(length <= LONGEST)) return undefined;
  const header = parseJson(new TextDecoder().decode(await bytes(length)));
  const found = isRecord(header) ? header.__metadata__ : undefined;
  if (!isRecord(found)) return undefined;
  return Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : []
    ),
  );
}

/** The layers of a saved network with filters of their own; nothing where it cannot be read. */
async function layersOf(path: string): Promise<readonly LayerCount[]> {
  try {
    const metadata = await metadataOf(path);
    if (metadata?.network === undefined) return [];
    const { image: [height, width] } = parseInfo(metadata, path);
    const network = parseNetwork(metadata.network, path);
    return countLayers(network, { height, width }).filter(({ kind }) => KINDS.includes(kind));
  } catch {
    return [];
  }
}

/** The width of each layer in each of the networks of a folder, those of the first in its order. */
export async function layerWidths(
  folder: string,
  names: readonly string[],
): Promise<LayerWidth[]> {
  const networks = await Promise.all(
    names.map(async (name) => [name, await layersOf(`${folder}/${name}.safetensors`)] as const),
  );
  const layers = [
    ...new Set(networks.flatMap(([, layers]) => layers.map((layer) => layer.name))),
  ];
  const by = (layer: string, value: (count: LayerCount) => number): Record<string, number> =>
    Object.fromEntries(networks.flatMap(([name, counts]) => {
      const found = counts.find((count) => count.name === layer);
      return found ? [[name, value(found)] as const] : [];
    }));
  return layers.map((layer) => ({
    layer,
    widths: by(layer, ({ shape }) => shape[shape.length - 1]),
    params: by(layer, ({ params }) => params),
  }));
}
