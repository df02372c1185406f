"""What listens to the loop: early stopping, progress, the learning rate on a plateau.

Callbacks that belong to one method stand beside it.
"""
