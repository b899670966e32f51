"""The publisher of many images: the widget, its rows, its fields that images share, its run."""
