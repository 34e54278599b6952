"""Looks for what will go wrong at three in the morning, says what to do about each thing found."""
