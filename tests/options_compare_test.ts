import { testOptions } from "./option_tests.ts";

testOptions(["compare"]);
