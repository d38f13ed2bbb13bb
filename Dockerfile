# The course in a container: JupyterLab on the notebooks, as a user without rights. README.md tells how to build
# and start it. What a container writes is gone with it, unless a folder of yours is mounted.
FROM python:3.12-slim-trixie

# Another index for torch, as in the Makefile; PyTorch's for CPU saves several GB.
ARG TORCH_INDEX=""

RUN useradd --create-home --uid 1000 student && install --directory --owner=student /home/student/course
USER 1000
WORKDIR /home/student/course
RUN python -m venv /home/student/venv
ENV PATH="/home/student/venv/bin:${PATH}" PYTHONUNBUFFERED=1

# Packages first: they change less often than the course, and are then taken from the cache.
COPY --chown=1000:1000 constraints.txt pyproject.toml README.md LICENSE ./
COPY --chown=1000:1000 data/README.md data/README.md
COPY --chown=1000:1000 medgen_course/__init__.py medgen_course/__init__.py
RUN python -m pip install --no-cache-dir --disable-pip-version-check \
      ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -c constraints.txt -e . \
    && { python -c "import torchvision" || python -m pip uninstall --yes torchvision; }

COPY --chown=1000:1000 . .

EXPOSE 8888
CMD ["python", "-m", "jupyterlab", "--ip=0.0.0.0", "--no-browser", "--ServerApp.root_dir=notebooks"]
