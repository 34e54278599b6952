"""The control process: loads, reloads, watches routes, acts on them, answers operators."""
