// By itself in a module that is imported when it is needed: Deno then fetches this package alone.
export { default } from "sharp";
