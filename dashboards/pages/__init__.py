"""The console's pages: views in, HTML out, escaping everything.

A page is made of blocks with names: what changes while the page is open is sent again, block by block.
"""
