"""What a student may write into an exercise, by what goes wrong. Each is one cell's source."""

FAULTS = {
    "endless": "while True:\n    pass",
    "exits": "import sys\nsys.exit()",
    "kills": "import os\nos._exit(3)",
    "prints": "while True:\n    print('x' * 1_000_000)",
    "memory": "import numpy as np\nkept = np.ones((20, 1_000_000_000))",
    "syntax": "def my_score(maps:\n    return",
    "empties": "import os, shutil\nshutil.rmtree(os.getcwd())\nraise OSError('all gone')",
    "text": "raise ValueError('\\ud800' + 'x' * 1_000_000)",
    "null": "x = 1\0",
    "nested": "x = " + "-" * 200_000 + "1",
    "raises": "raise KeyError('where')",
}
