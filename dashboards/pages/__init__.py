"""The console's pages: views in, HTML out, escaping everything.

A page is made of blocks with names: what changes while somebody looks is sent again, block by block.
"""
