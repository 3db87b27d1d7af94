"""The zipapp's entry."""

import sys

from adadeep_agent.serve import main

sys.exit(main())
