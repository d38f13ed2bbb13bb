"""Random damage to run folders, images and command lines for as long as one likes; prints what goes wrong.

    python bench/fuzz.py --minutes 30 --seed 0

The cases are those of tests/unit/cli/test_fuzz.py, in the same order. To see case 190 again: --first 190.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "cli"))

from fuzzing import World, cases


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--first", type=int, default=0, help="number of the case to begin with")
    options = options.parse_args()
    end, count = time.monotonic() + 60 * options.minutes, Counter()
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            for number, (told, wrong) in enumerate(cases(world, options.seed, options.first), options.first):
                count["wrong" if wrong else "right"] += 1
                if wrong:
                    print(f"--- case {number}: {told}\n{wrong}", flush=True)
                if time.monotonic() > end:
                    break
        finally:
            world.close()
    print(f"seed {options.seed}: {sum(count.values())} cases, {count['wrong']} wrong")
    return int(count["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
