"""What explorers share: the picture, sliders, maps, players and uploads that they are put together from."""
