"""Records of scored rows, and what every report is made of: how numbers are written, plots, the style of the page."""
