"""The steps of gradient descent: optimizers, schedules, penalties.

What is minimised is said by the method that learns.
"""
