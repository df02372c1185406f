"""Raw rows to matrices and back: fitted on the training rows, applied to all.

What changes a batch each time it is used is in `data.transforms`.
"""
