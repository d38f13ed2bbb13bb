"""What pages have in common stands in one file."""

from medgen_course.site.pages import share_styles

THEME, OWN = "<style type='text/css'>p { color: red }</style>", "<style>b { top: 0 }</style>"
LAST = '<style media="(prefers-color-scheme: dark)" type="text/css">i {}</style>'
PAGES = {"00": f"<head>{THEME}{LAST}</head>", "01": f"<head>{OWN}{THEME}{LAST}</head>"}


def test_styles_that_all_pages_have_become_one_file_and_others_stay():
    pages, styles = share_styles(PAGES)
    assert styles.split("\n") == ["p { color: red }", "@media (prefers-color-scheme: dark) {i {}}"]
    link = '<link rel="stylesheet" href="assets/lesson.css">'
    assert pages == {"00": f"<head>{link}</head>", "01": f"<head>{OWN}{link}</head>"}


def test_pages_with_nothing_in_common_stay_as_they_are():
    pages = {"00": THEME, "01": OWN}
    assert share_styles(pages) == (pages, "")
