import { printable } from "../../data/printable.ts";
import { escapeText } from "../report/picture_document.ts";

/** HTML or SVG that stands in a page as it is. */
export class Markup {
  /** Its source. */
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** What a page is put together of: text, which is escaped, and markup. */
export type Piece = string | number | Markup | undefined | readonly Piece[];

/** No line is broken between a number and its per cent sign. */
function joinPercent(text: string): string {
  return text.replace(/(?<=\d) (?=%)/g, "\u00a0");
}

function sourceOf(piece: Piece): string {
  if (piece === undefined) return "";
  if (piece instanceof Markup) return piece.source;
  if (typeof piece === "string") return escapeText(joinPercent(piece));
  if (typeof piece === "number") return String(piece);
  return piece.map(sourceOf).join("");
}

/**
 * HTML with pieces in it; strings are text, whatever they hold. Indentation, and lines that are empty
 * at both ends, are left out.
 */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const last = parts.length - 1;
  const source = parts.map((part, i) => {
    const text = part.replaceAll(/\n\s*/g, "\n");
    const begun = i === 0 ? text.replace(/^\n/, "") : text;
    return (i === last ? begun.replace(/\n$/, "") : begun) + sourceOf(pieces[i]);
  });
  return new Markup(source.join(""));
}

/** Text from a file or a user as it is shown: of bounded length, and nothing in it hidden. */
export function shown(text: string, letters = 60): string {
  return printable(text, letters);
}

/** A part of the page that can be found, and put in the place of an older one, by its `id`. */
export function section(id: string, title: string, ...content: readonly Piece[]): Markup {
  return markup`
    <section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
    </section>
  `;
}

/** A table; columns of which the cells are numbers end in line. */
export function table(
  { head, rows, text = [0], caption }: {
    readonly head: readonly Piece[];
    readonly rows: readonly (readonly Piece[])[];
    /** The columns of words. */
    readonly text?: readonly number[];
    readonly caption?: string;
  },
): Markup {
  const kind = (i: number): Piece => text.includes(i) ? undefined : markup` class="number"`;
  return markup`
    <div class="scroll">
      <table>${caption && markup`<caption>${caption}</caption>`}
    <thead><tr>${head.map((cell, i) => markup`<th scope="col"${kind(i)}>${cell}</th>`)}</tr></thead>
    <tbody>${
    rows.map((row) =>
      markup`<tr>${
        row.map((cell, i) =>
          i === 0
            ? markup`<th scope="row"${kind(i)}>${cell}</th>`
            : markup`<td${kind(i)}>${cell}</td>`
        )
      }</tr>\n`
    )
  }</tbody></table>
    </div>
  `;
}
