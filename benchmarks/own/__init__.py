"""Networks as users bring them, and real data for them: what bench_own_models searches."""
