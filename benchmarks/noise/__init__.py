"""What a device's noise does to what is said of models: recordings, and their replay."""
