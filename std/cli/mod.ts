/**
 * Stands in for `@std/cli` where its registry cannot be reached: the part this project uses, with
 * the same signatures.
 *
 * @module
 */
export * from "./parse_args.ts";
