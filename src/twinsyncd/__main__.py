"""`python -m twinsyncd` is the same as `twinsyncd`."""

from .cli import main

main()
