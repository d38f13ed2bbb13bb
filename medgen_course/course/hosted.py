"""The first code cell of every notebook: in Colab or on Binder it installs the course where it is missing.

Such a cell cannot import what it is about to install, so its text stands here, and a rule compares.
"""

ADDRESS = "git+https://github.com/OWNER/REPOSITORY"  # for pip; the project has no public home yet

INSTALL = f"""\
# In Colab and on Binder this installs the course where it is missing. Elsewhere it does nothing.
import importlib.util
import os
import subprocess
import sys

hosted = {{"COLAB_RELEASE_TAG", "BINDER_SERVICE_HOST"}} & set(os.environ)
if hosted and importlib.util.find_spec("medgen_course") is None:
    course = "{ADDRESS}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", course], check=True)"""
