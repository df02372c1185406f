"""How a network learns: the loop, training plans, callbacks, and a package for each method.

What a network is stands in `models`, what is reported of it in `evaluation`.
"""
