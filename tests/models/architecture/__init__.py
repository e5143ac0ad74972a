"""Models of true architecture and size, but random weights: text is noise, cost is real."""
