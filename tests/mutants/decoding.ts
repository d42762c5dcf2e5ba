import type { Mutant } from "./mutant.ts";

const PIXELS = "tests/picture_pixels_test.ts";
const FORMATS = "tests/picture_formats_test.ts";
const BROKEN = "tests/broken_pictures_test.ts";
const DECODE = "pictures/decode.ts";
const REDUCED = { file: PIXELS, name: "a large JPEG is reduced while it is decoded" };

/** Pictures that would be decoded to other pixels than Pillow's, or half. */
export const DECODING: readonly Mutant[] = [
  {
    name: "pictures lie as the camera was held",
    file: DECODE,
    find: "autoOrient: true",
    replace: "autoOrient: false",
    test: { file: FORMATS, name: "EXIF's eight orientations are applied" },
  },
  {
    name: "inks become colours by a guessed profile",
    file: DECODE,
    find: 'const inks = space === "cmyk" && icc === undefined;',
    replace: "const inks = icc !== undefined && icc.length < 0;",
    test: { file: PIXELS, name: "has the pixels" },
  },
  {
    name: "profiles are ignored",
    file: DECODE,
    find: "ignoreIcc: icc !== undefined && isSrgbProfile(icc)",
    replace: "ignoreIcc: icc === undefined || !isSrgbProfile(icc)",
    test: { file: PIXELS, name: "has the pixels" },
  },
  {
    name: "profiles of 16-bit pixels end in Display P3",
    file: DECODE,
    find: 'space === "rgb16" && icc !== undefined',
    replace: 'space === "rgb16" && icc === undefined',
    test: { file: FORMATS, name: "a profile of 16-bit pixels becomes sRGB" },
  },
  {
    name: "corrupt pictures are decoded as far as they go",
    file: DECODE,
    find: '"jpeg", bytes, preparation, "warning"',
    replace: '"jpeg", bytes, preparation, "error"',
    test: { file: BROKEN, name: "one without its last scan is not" },
  },
  {
    name: "a JPEG without its last scan is taken for whole",
    file: "pictures/jpeg_end.ts",
    find: "if (!SEQUENTIAL.includes(marker)) return false;",
    replace: "",
    test: { file: BROKEN, name: "one without its last scan is not" },
  },
  {
    name: "pictures with odd heads are taken for broken",
    file: "pictures/broken_reason.ts",
    find: "lines.length > 0 && lines.every",
    replace: "lines.length < 0 && lines.every",
    test: { file: BROKEN, name: "heads that are a little odd do no harm" },
  },
  {
    name: "a picture is decoded however large it says it is",
    file: "pictures/most_pixels.ts",
    find: "width * height > MOST_PIXELS",
    replace: "width * height < 0",
    test: { file: BROKEN, name: "pictures of too many pixels are refused" },
  },
  {
    name: "reduced JPEGs are stretched over what is lost",
    file: "pictures/reduction.ts",
    find: "Math.floor(side / divisor) * divisor",
    replace: "side",
    test: REDUCED,
  },
  {
    name: "what a reduction loses is lost on the other side",
    file: "pictures/reduction.ts",
    find: "startsLast ? side - shown : 0",
    replace: "startsLast ? 0 : side - shown",
    test: REDUCED,
  },
  {
    name: "nothing is reduced while it is decoded",
    file: "pictures/reduction.ts",
    find: "if (!found || ",
    replace: "if (found || !found || ",
    test: REDUCED,
  },
  {
    name: "transparency is laid on black",
    file: "data/channels.ts",
    find: "255 * (255 - alpha)",
    replace: "0 * (255 - alpha)",
    test: { file: PIXELS, name: "has the pixels" },
  },
  {
    name: "grey is the mean of the colours",
    file: "data/channels.ts",
    find: "19595 * pixels[at] + 38470 * pixels[at + 1] + 7471 * pixels[at + 2]",
    replace: "21846 * pixels[at] + 21845 * pixels[at + 1] + 21845 * pixels[at + 2]",
    test: { file: PIXELS, name: "has the pixels" },
  },
  {
    name: "pictures are resized without antialiasing",
    file: "data/resample.ts",
    find: "const stretch = Math.max(step, 1);",
    replace: "const stretch = 1;",
    test: { file: "tests/resample_test.ts", name: "equals Pillow's" },
  },
  {
    name: "resized bytes are cut off in place of rounded",
    file: "data/resample.ts",
    find: "const HALF = 1 << (FRACTION - 1);",
    replace: "const HALF = 0;",
    test: { file: "tests/resample_test.ts", name: "equals Pillow's" },
  },
  {
    name: "BMPs have their rows from the top",
    file: "pictures/bmp.ts",
    find: "topDown: high < 0",
    replace: "topDown: high > 0",
    test: { file: "tests/bmp_test.ts", name: "BMPs of 1 to 8 bits" },
  },
  {
    name: "a browser gives whole pictures whatever is asked for",
    file: "pictures/browser.ts",
    find: "prepare(withChannels(decoded, preparation.channels), preparation)",
    replace: "withChannels(decoded, preparation.channels) ?? prepare",
    test: { file: "tests/browser_pictures_test.ts", name: "Chromium's pictures" },
  },
];
