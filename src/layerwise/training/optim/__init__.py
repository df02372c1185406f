"""The steps of gradient descent: optimizers, schedules, penalties.

What is minimised is the method's own.
"""
