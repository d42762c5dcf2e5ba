import type { Mutant } from "./mutant.ts";

const UNVERIFIED = "tests/unverified_test.ts";

/** What is proven before it is kept. */
export const PROOFS: readonly Mutant[] = [
  {
    name: "finish does not verify",
    file: "train/finish.ts",
    find: "demandEqual(found, which);",
    replace: "",
    test: { file: UNVERIFIED, name: "train saves no network whose extracted twin" },
  },
  {
    name: "an export does not verify",
    file: "cli/export.ts",
    find: "demandEqual(verify, which);",
    replace: "",
    test: { file: UNVERIFIED, name: "export writes no file that gives other logits" },
  },
  {
    name: "agreement is not looked at",
    file: "train/verify.ts",
    find: " && top1Agreement === 1",
    replace: "",
    test: { file: UNVERIFIED, name: "equal logits do not make up for other classes" },
  },
  {
    name: "padding images are counted in a validation",
    file: "train/image_feed.ts",
    find: "i < count ? label : 0xffffffff",
    replace: "label",
    test: {
      file: "tests/kernel_session_test.ts",
      name: "images that only fill up the last batch are not counted",
    },
  },
];
