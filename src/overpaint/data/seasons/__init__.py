"""Landscapes drawn by code, each scene in summer and in winter: a data set with true answers that needs no download.

Only additions, multiplications, divisions and comparisons are used, never a sine or a power, whose last bit differs
between processors: the same seed gives the same bytes.
"""
