"""Runs a script several times, each as if it were started anew, but imports what it needs once.

    echo '[["a", "b"], ["c"]]' | python3 tests/python/each_in_turn.py script.py

Standard input has the arguments of each run; standard output gets what each came to, as JSON: code, out
and error. To import torch takes two seconds.
"""

import contextlib
import io
import json
import runpy
import sys


def run(script, arguments):
    sys.argv = [script, *arguments]
    out, error, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
    return {"code": code, "out": out.getvalue(), "error": error.getvalue()}


if __name__ == "__main__":
    script = sys.argv[1]
    print(json.dumps([run(script, arguments) for arguments in json.load(sys.stdin)]))
