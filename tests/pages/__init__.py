"""People in a real browser: every page is toured, every journey is walked as its person would."""
