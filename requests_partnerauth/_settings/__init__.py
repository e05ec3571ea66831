"""Constructor arguments: checked, and read from texts (environment, command line)."""
