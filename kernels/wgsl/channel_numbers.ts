/** Names of numbers, one for each of up to four channels: `fill_0` to `fill_3`. */
type ChannelName<Name extends string> = `${Name}_${0 | 1 | 2 | 3}`;

function each<Name extends string, T>(
  name: Name,
  value: (c: number) => T,
): Readonly<Record<ChannelName<Name>, T>> {
  const entries = [0, 1, 2, 3].map((c) => [`${name}_${c}`, value(c)]);
  return Object.fromEntries(entries) as Readonly<Record<ChannelName<Name>, T>>;
}

/** The dims of a kernel that takes a number for each channel. */
export function channelDims<const Name extends string>(
  name: Name,
): Readonly<Record<ChannelName<Name>, "f32">> {
  return each(name, () => "f32");
}

/** The values of {@link channelDims}: 0 for channels that there are not. */
export function channelValues<const Name extends string>(
  name: Name,
  values: readonly number[],
): Readonly<Record<ChannelName<Name>, number>> {
  return each(name, (c) => values[c] ?? 0);
}

/** WGSL of the numbers of {@link channelDims} as a vec4f. */
export function channelVector(name: string): string {
  return `vec4f(${[0, 1, 2, 3].map((c) => `dims.${name}_${c}`).join(", ")})`;
}
