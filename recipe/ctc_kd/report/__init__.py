"""Records, tables, figures and the HTML page."""
