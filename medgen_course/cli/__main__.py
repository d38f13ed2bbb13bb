"""`python -m medgen_course.cli`, where `medgen` is not on the path."""

import sys

from medgen_course.cli import main

if __name__ == "__main__":
    sys.exit(main())
