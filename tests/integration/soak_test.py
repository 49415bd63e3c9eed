#!/usr/bin/env python3
"""Goal: the soak itself works, and a relay and a gateway that live through days of a recorded home in less than a minute keep
their memory, descriptors and threads, and store what the record says.

The machine may be busy, so nothing is disturbed and nothing depends on how far the record gets; tools/soak is the long run with
faults.
"""
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "tools/soak.d"))
import soak  # noqa: E402

if __name__ == "__main__":
    harness.need_root()
    sys.argv[1:] = ["--minutes", "0.6", "--seed", "7", "--calm"]
    try:
        soak.main()
    except harness.Failure as failure:
        sys.exit(f"soak: {failure}")
