"""The course as a site: explorers that run in the page, without Python."""
