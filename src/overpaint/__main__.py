"""``python -m overpaint``."""

import sys

from overpaint.cli import main

sys.exit(main())
