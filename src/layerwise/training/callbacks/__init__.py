"""What listens to the loop: early stopping, best weights, limits, progress, the learning rate on a plateau.

Callbacks that belong to one method are beside it.
"""
