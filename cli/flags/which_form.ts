import { NETWORK_NAME } from "../../nn/which.ts";

/** The form of the name of a network. */
export const WHICH_FORM: { readonly pattern: RegExp; readonly words: string } = {
  pattern: NETWORK_NAME,
  words: "base, small, or the name of one of several small networks, as small-2",
};
