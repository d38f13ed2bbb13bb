"""The error of images that cannot be used, in one wording."""


class DatasetError(ValueError):
    """Images cannot be used as they are; the message says what was found, what was expected, what to do."""


def problem(subject: object, found: str, expected: str, remedy: str) -> DatasetError:
    """Return (not raise) a DatasetError in the one wording that all checks share."""
    return DatasetError(f"{subject}: found {found}; expected {expected}. What to do: {remedy}.")
