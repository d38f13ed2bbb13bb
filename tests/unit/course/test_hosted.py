"""The first cell of each notebook installs the course in Colab and on Binder, and only there."""

import importlib.util
import subprocess
import sys

import pytest

from medgen_course.course.hosted import ADDRESS, INSTALL


@pytest.mark.parametrize("service", [None, "COLAB_RELEASE_TAG", "BINDER_SERVICE_HOST"])
@pytest.mark.parametrize("missing", [False, True])
def test_the_course_is_installed_where_it_is_missing_in_a_service(service, missing, monkeypatch):
    called = []
    for name in ("COLAB_RELEASE_TAG", "BINDER_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    if service:
        monkeypatch.setenv(service, "release")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if missing else name)
    monkeypatch.setattr(subprocess, "run", lambda command, check: called.append(command))
    exec(INSTALL, {})
    wanted = [[sys.executable, "-m", "pip", "install", "-q", ADDRESS]] if service and missing else []
    assert called == wanted
