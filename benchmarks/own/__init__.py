"""Networks of the kinds that users bring, and what a search makes of them."""
