// Holds the README to what it says: commands, flags, numbers, names and code.
import { assert, assertArrayIncludes, assertEquals, assertStringIncludes } from "@std/assert";
