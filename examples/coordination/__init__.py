"""A real experiment: three ways for five workers to share a map-reduce over a hundred files."""
