"""What a live explorer does in each of the STATES of a module that imports this test.

The module has a fixture `python`, `put(explorer, state)` and `same(live, explorer)`.
"""


def test_pictures_and_numbers_are_pythons(live, python, listed_state, request):
    live.open(**listed_state)
    request.module.put(python, listed_state)
    request.module.same(live, python)
