"""Are these two answers the same, and if not, how? Values in, values out."""
