"""Where costs come from: formulas, measurements; later fitted models and energy sources."""
