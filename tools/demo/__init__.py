# SPDX-License-Identifier: BSD-2-Clause
"""Boots a Causeway machine, talks to its console and measures its guests."""
