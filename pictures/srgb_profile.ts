/** The tag of a profile with tables, which say more than three primaries and a curve. */
const TABLES = "A2B0";

/**
 * Whether an ICC profile is one of the many of sRGB itself, by its description, so that pixels may
 * stay as they are.
 *
 * @param profile The bytes of the profile.
 */
export function isSrgbProfile(profile: Uint8Array): boolean {
  if (profile.length < 132) return false;
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  const text = (at: number, length: number): string =>
    String.fromCharCode(...profile.subarray(at, at + length));
  const tags = Math.min(view.getUint32(128), Math.floor((profile.length - 132) / 12));
  let description = "";
  for (let i = 0; i < tags; i++) {
    const at = 132 + 12 * i;
    const name = text(at, 4);
    if (name === TABLES) return false;
    // As ASCII in version 2, as UTF-16 in version 4: the letters are the same between zeros.
    if (name === "desc") {
      const [start, size] = [view.getUint32(at + 4), Math.min(view.getUint32(at + 8), 200)];
      description = text(start + 12, size - 12).replace(/[^ -~]/g, "");
    }
  }
  return /^\W*(?:\w{4}\W*)?sRGB\b/.test(description);
}
