"""Containers of audio: each file compares the length that one of them claims with the sound that is there.

libsndfile stops where a header says so, or where the file ends, and says little of either. Each `look` here reads the
container's own structure, refuses what contradicts itself, and gives libsndfile a view of the file in which the length
is right. The modules need nothing but NumPy: the process that decodes untrusted files loads them.
"""
