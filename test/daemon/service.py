# SPDX-License-Identifier: MIT
"""What poised and poisectl do when nothing is wrong, and when their own input is."""
TESTS = []
