// Pictures that Chromium decodes, against Pillow's pixels: see tests/python/pictures.py.
import { assert, assertEquals } from "@std/assert";
import { decode } from "../pictures/decode.ts";
import { inChromium, installedChromium } from "./chromium.ts";
import { withFolder } from "./folder.ts";
import { encoder, fromBase64, meanDifference, waves, WHOLE } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import decoded from "./reference/pictures/decoded.json" with { type: "json" };

const chromium = installedChromium() ?? "";
const ignore = !chromium || lacks("read", "write", "run", "net", "env", "ffi");

const CENTRAL = {
  kind: "central",
  channels: 3,
  size: 24,
  cropPct: 0.875,
  interpolation: "bicubic",
} as const;

/** What the page finds: sizes and pixels, or the reason of an error. */
interface Found {
  readonly width: number;
  readonly height: number;
  readonly pixels: string;
  readonly reason?: string;
}

function page(files: readonly Uint8Array[]): string {
  const module = new URL("../pictures/browser.ts", import.meta.url);
  return `import { BrokenPictureError, decodeInBrowser } from ${JSON.stringify(module)};
const found: unknown[] = [];
for (const text of ${JSON.stringify(files.map((bytes) => btoa(String.fromCharCode(...bytes))))}) {
  const file = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
  for (const preparation of ${JSON.stringify([null, CENTRAL])} as const) {
    try {
      const { pixels, ...size } = await decodeInBrowser(file, preparation ?? undefined);
      found.push({ ...size, pixels: btoa(String.fromCharCode(...pixels)) });
    } catch (error) {
      if (!(error instanceof BrokenPictureError)) throw error;
      found.push({ reason: error.message });
    }
  }
}
void fetch("/found", { method: "POST", body: JSON.stringify(found) });`;
}

/** Files and how much their pixels may differ on average. */
const FILES = [
  ["colours.png", 0],
  ["palette.bmp", 0],
  ["fading.png", 0.6],
  ["baseline.jpg", 2],
  ["progressive.jpg", 2],
  ["grey.jpg", 2],
  ["profile.png", 2],
  ["colours.webp", 2],
] as const;

Deno.test(
  "Chromium's pictures are those of the command line",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const folder = new URL("reference/pictures/", import.meta.url);
      const turned = new Uint8Array(
        await (await encoder(waves(20, 30, 3))).withMetadata({ orientation: 6 })
          .toFormat("jpeg", { quality: 95 }).toBuffer(),
      );
      const files = [
        ...FILES.map(([name]) => Deno.readFileSync(new URL(name, folder))),
        turned,
        new TextEncoder().encode("no picture"),
      ];
      await Deno.writeTextFile(`${dir}/page.ts`, page(files));
      const found = await inChromium(chromium, `${dir}/page.ts`) as Found[];
      for (const [i, [name, tolerance]] of FILES.entries()) {
        const [whole, central] = [found[2 * i], found[2 * i + 1]];
        assertEquals([whole.width, whole.height], [decoded[name].width, decoded[name].height]);
        const difference = meanDifference(fromBase64(whole.pixels), fromBase64(decoded[name].rgb));
        assert(difference <= tolerance, `${name}: ${difference}`);
        const own = await decode(files[i], CENTRAL);
        assertEquals([central.width, central.height], [24, 24]);
        const ofCrop = meanDifference(fromBase64(central.pixels), own.pixels);
        assert(ofCrop <= tolerance, `${name}, its middle: ${ofCrop}`);
      }
      const [whole, , broken] = found.slice(2 * FILES.length);
      assertEquals([whole.width, whole.height], [20, 30]);
      const upright = await decode(turned, WHOLE);
      assert(meanDifference(fromBase64(whole.pixels), upright.pixels) < 2);
      assertEquals(broken.reason, "no picture that this browser can decode");
    }),
);
