"""What is known of runtimes: a file for each, made by asking the runtime itself."""
