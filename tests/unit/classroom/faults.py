"""What a student may write into an exercise, by what goes wrong. Each is one cell's source."""

FAULTS = {
    "endless": "while True:\n    pass",
    "exits": "import sys\nsys.exit()",
    "kills": "import os\nos._exit(3)",
    "prints": "while True:\n    print('x' * 1_000_000)",
    "memory": "kept = np.ones((20, 1_000_000_000))",
    "syntax": "def my_residual(x, x_hat:\n    return",
    "raises": "raise KeyError('where')",
}
