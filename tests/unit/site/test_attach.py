"""Pages of a run get the explorers of a site that was built, and are as they were without one."""

import json

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from medgen_course.course.notebooks import Notebook, Result
from medgen_course.course.page import WIDGET_NOTE, write_page
from medgen_course.site.attach import attach


def test_explorers_of_a_built_site_stand_on_the_pages_of_a_run(tmp_path):
    built, out = tmp_path / "site", tmp_path / "course"
    (built / "assets").mkdir(parents=True)
    (built / "assets" / "shell.js").write_text("// shell")
    (built / "live" / "beta").mkdir(parents=True)
    about = {"title": "One slider", "sentence": "Move it."}
    (built / "live" / "beta" / "beta.json").write_text(json.dumps(about))
    out.mkdir()
    view = new_output("execute_result", {"text/plain": WIDGET_NOTE})
    cells = [new_code_cell("explorers.BetaExplorer(model)", outputs=[view]) for _ in range(2)]
    cells.append(new_code_cell("explorers.DataExplorer(data)", outputs=[view]))
    path = out / "02_vae.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    results = [
        Result(Notebook(path, "VAE"), 1.0),
        Result(Notebook(out / "03_gan.ipynb", "GAN"), 1.0, ("failed",)),
    ]
    page = write_page(results[0], out)
    before = page.read_text()
    assert attach(results, out, tmp_path / "nothing") == 0 and page.read_text() == before
    assert attach(results, out, built) == 1
    after = page.read_text()
    assert after.count('data-live="beta"') == 1 and "One slider" in after
    assert "alive further up" in after and "assets/shell.js" in after and "data_browser" not in after
    assert (out / "assets" / "shell.js").is_file() and not (out / "03_gan.html").exists()
