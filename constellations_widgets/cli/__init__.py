"""The command line: each command is a few lines over the package's public functions.

`app` declares the commands and their options, and imports nothing heavy, so that help and completion answer at once;
what a command does is in a module that is imported when it runs.
"""

from __future__ import annotations
