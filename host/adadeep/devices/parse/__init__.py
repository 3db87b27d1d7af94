"""Pure parsers of what devices print: text in, values out; nothing here runs or reads anything."""
