import { testOptions } from "./option_tests.ts";

testOptions(["train"]);
