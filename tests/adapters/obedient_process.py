"""A process that does what it is told: for the tests of `LimitedProcess`."""

import json
import os
import sys
import time


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


for line in sys.stdin:
    request = json.loads(line)
    match request["do"]:
        case "sleep":
            time.sleep(60)
        case "die":
            os._exit(9)
        case "flood":
            while True:
                sys.stdout.write("x" * 1_000_000)
        case "babble":
            say("no JSON")
        case "secrets":
            say(json.dumps({"names": sorted(os.environ)}))
        case _:
            say(json.dumps({"pid": os.getpid(), **request}))
