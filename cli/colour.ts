// Colours on terminals. Nothing else of the program knows their codes.

/** Select graphic rendition, ECMA-48: what begins a colour. */
const CODES = { red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** Gives text a colour, or leaves it as it is. */
export type Paint = (colour: keyof typeof CODES, text: string) => string;

/** Leaves text as it is, for files, pipes, and whoever wants no colours. */
export const plain: Paint = (_, text) => text;

const coloured: Paint = (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;

/**
 * Colours for what is written to a stream: those of a terminal, unless the variable NO_COLOR is set
 * (https://no-color.org), which Deno has read.
 */
export function paintFor(
  stream: { isTerminal(): boolean },
  { noColor = Deno.noColor }: { readonly noColor?: boolean } = {},
): Paint {
  return stream.isTerminal() && !noColor ? coloured : plain;
}

/** A remark: yellow where it is a warning, or says what cannot be done. */
export function remark(text: string, paint: Paint): string {
  return /^(warning: |Cannot )/.test(text) ? paint("yellow", text) : text;
}
