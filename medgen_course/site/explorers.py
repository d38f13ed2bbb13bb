"""Which explorers live on a page: one line for each."""

from importlib import import_module

from medgen_course.site.live import Live

# a class that notebooks use: the name of its file here and in site/src/live/
LIVE = {
    "AnomalyExplorer": "anomaly",
    "BetaExplorer": "beta",
    "DataExplorer": "data_browser",
    "EnhancementExplorer": "enhancement",
    "FewLabelsExplorer": "few_labels",
    "GANExplorer": "recorder",
    "LatentExplorer": "codes",
    "GeneratorExplorer": "gan_walk",
    "TranslationExplorer": "translation",
    "VAELatentExplorer": "latent",
}


def built(name: str) -> Live:
    """All that an explorer needs on a page."""
    return import_module(f"medgen_course.site.{name}").build()
