"""Text to rows of cells: its encoding, its layout, its header, its rows, and the marks that keep formulas out of it."""
