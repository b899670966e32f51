"""Tables for the schema rules: the SPDX lists, and what the server's HTML cleaner keeps."""
